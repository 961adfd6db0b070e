"""What people and machines are told: tables, progress, the log, alerts."""
