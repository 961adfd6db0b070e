"""Refreshing by a schedule: Prefect's server, the served deployment, and who is told of trouble."""
