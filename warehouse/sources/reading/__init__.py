"""What all readers share: files, their containers and encodings, tables in them, and rows set
aside.
"""
