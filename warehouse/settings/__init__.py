"""The configuration, citytrade.toml, checked."""
