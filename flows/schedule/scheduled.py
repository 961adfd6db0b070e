"""The flow that the schedule starts: the same refresh as by hand, in a process of its own."""

from __future__ import annotations

import sys
import traceback

from prefect import flow

from flows.refresh.start import run
from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config


@flow(name="scheduled-refresh", log_prints=False)
def refresh_by_schedule(config_path: str) -> int:
    """Refresh from a configuration file; a source in trouble is told in the summary and does not fail the run."""
    try:
        return run(load_config(config_path))
    except CitytradeError as error:
        # Prefect's own log is quiet, and would show this as a traceback.
        print(f"citytrade: {error}", file=sys.stderr, flush=True)
        raise
    except Exception:  # a fault of ours: told whole, since nobody else tells it
        traceback.print_exc()
        raise
