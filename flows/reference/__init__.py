"""Pages and descriptions that are written from what they describe: commands, configuration,
estimators, papers and panels. `python -m flows.reference` writes them.
"""
