"""The flow that the schedule starts: the same refresh as by hand, in a process of its own."""

from __future__ import annotations

from prefect import flow

from flows.start import run
from warehouse.config import load_config


@flow(name="scheduled-refresh", log_prints=False)
def refresh_by_schedule(config_path: str) -> int:
    """Refresh from a configuration file; a source in trouble is told in the summary and does not fail the run."""
    return run(load_config(config_path))
