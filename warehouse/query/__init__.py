"""How a reader's query reaches a release: which statements read, on what connection, within which
limits.
"""
