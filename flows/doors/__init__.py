"""The doors of the published release: SQL and its shell, files for other programs, releases; and
how they print.
"""
