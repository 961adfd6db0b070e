"""`citytrade serve`: refresh by a schedule, for as long as this runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flows.processes import prefect_server
from flows.telling.lines import Say
from warehouse.errors import CitytradeError
from warehouse.settings.config import Config

if TYPE_CHECKING:
    from prefect.schedules import Schedule

DEPLOYMENT = "citytrade-refresh"


def serve(config: Config, cron: str, port: int, say: Say) -> None:
    """Serve the scheduled refresh until interrupted.

    Raises
    ------
    CitytradeError : a cron line that is none, or a server that does not start.
    """
    prefect_server.quiet(config.home)
    with prefect_server.server(config.home, port, keeps_schedules=True) as server:
        # The runs are processes of their own, which find the server in their environment.
        os.environ["PREFECT_API_URL"] = server.api
        try:
            from flows.schedule.scheduled import refresh_by_schedule

            schedule = _schedule(cron)
            server.wait()
            say(f"Refreshing {config.path.name} at {cron!r} (UTC). Server: {server.api.removesuffix('/api')}. Stop with Ctrl-C.")
            refresh_by_schedule.serve(name=DEPLOYMENT, schedule=schedule, parameters={"config_path": str(config.path)}, print_starting_message=False, limit=1)
        finally:
            if server.process is not None:
                del os.environ["PREFECT_API_URL"]


def _schedule(cron: str) -> Schedule:
    from prefect.schedules import Cron

    try:
        return Cron(cron, timezone="UTC")
    except Exception as error:  # pydantic's message is about its own model
        raise CitytradeError(f'{cron!r} is not a cron line. Five fields are needed, such as "0 6 * * 1" for Mondays at 6.') from error
