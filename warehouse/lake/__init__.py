"""The lake: what was read from raw files, as typed Parquet, written once and never edited."""
