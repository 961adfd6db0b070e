"""The flows that the schedule starts, each in a process of its own: the same refresh as by hand,
and a look at the seals.

Neither has a parameter: what is refreshed was fixed by whoever started `citytrade serve`, and
whoever can start a run can start this one and no other.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from prefect import flow
from prefect.states import Completed, Failed

from flows.processes.supervised import die_with
from flows.refresh.start import run
from flows.schedule.seals import look_at_seals
from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SERVED = "CITYTRADE_SERVED_CONFIG"


@flow(name="scheduled-refresh", log_prints=False)
def refresh_by_schedule() -> State[None]:
    """Refresh from the served configuration; a source in trouble fails the run, although the rest
    is published.
    """
    die_with(os.getppid())
    try:
        code = run(load_config(os.environ[SERVED]))
    except CitytradeError as error:
        # Prefect's own log is quiet, and would show this as a traceback.
        print(f"citytrade: {error}", file=sys.stderr, flush=True)
        return Failed(message=str(error))
    except Exception:  # a fault of ours: told whole, since nobody else tells it
        traceback.print_exc()
        raise
    return (
        Failed(message="A source is in trouble; see the tasks of the refresh.")
        if code
        else Completed(message="Whole.")
    )


@flow(name="scheduled-look-at-seals", log_prints=False)
def look_by_schedule() -> State[None]:
    """Compare every release with what was published; a change is told as trouble of a
    refresh is.
    """
    die_with(os.getppid())
    broken = look_at_seals(load_config(os.environ[SERVED]))
    return (
        Failed(message="; ".join(broken))
        if broken
        else Completed(message="Every release is as it was published.")
    )
