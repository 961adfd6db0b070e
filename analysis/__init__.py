"""From published panels to numbers: measures, estimators, the tables of papers, and their
printing.
"""
