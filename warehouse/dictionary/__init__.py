"""The dictionary of columns, what is written from it, and the names of places."""
