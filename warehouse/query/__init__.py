"""Limits of what a reader's query may take."""
