"""Looking into files without loading them: what they are, what each source's reader makes of them,
and which configuration would read them.
"""
