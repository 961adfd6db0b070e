"""Releases: what was published, what stands in it, and how two of them differ."""
