"""The order of things: refresh, its steps, its schedule, and the command line."""
