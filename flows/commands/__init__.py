"""The commands of `citytrade`, and their arguments."""
