"""Pure functions on arrays and frames; nothing here reads a file or knows where data come from."""
