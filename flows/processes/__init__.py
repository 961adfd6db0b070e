"""Processes: one refresh at a time, and none that outlives the one that started it."""
