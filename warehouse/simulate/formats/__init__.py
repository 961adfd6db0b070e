"""How the simulated world's bytes are made: workbooks, Stata files, csv; the same content gives the
same bytes.
"""
