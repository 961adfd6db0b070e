"""`citytrade serve`: refresh by a schedule, for as long as this runs."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from flows.processes import prefect_server
from flows.schedule.cron import next_times
from flows.telling.alerts import resolved
from flows.telling.lines import Say
from flows.telling.log import log_to_journal
from warehouse.errors import CitytradeError, ConfigError
from warehouse.settings.config import Config

if TYPE_CHECKING:
    from prefect.runner import Runner

DEPLOYMENT, SEALS = "citytrade-refresh", "citytrade-seals"
SEALS_CRON = "30 4 * * *"


def serve(config: Config, cron: str, timezone: str, port: int, say: Say) -> None:
    """Serve the scheduled refresh, and a daily look at the seals, until interrupted or terminated.

    Raises
    ------
    CitytradeError : a cron line that never fires, alerts that cannot be sent as configured, a home
        that is served already, or a server that does not start.
    """
    times = next_times(cron, timezone, datetime.now(UTC))
    if config.alerts.command and not config.is_named:
        raise ConfigError(
            f"{config.path}: [alerts] runs a command, and this file was found, not named. Name it:"
            f" citytrade serve --config {config.path.name}."
        )
    resolved(config)
    log_to_journal()
    prefect_server.quiet(config.home)
    with (
        _alone(config.home / "prefect"),
        prefect_server.server(config.home, port, keeps_schedules=True) as server,
    ):
        # The runs are processes of their own, which find the server and what is served in their
        # environment.
        os.environ.update(server.environment)
        from flows.schedule.scheduled import SERVED

        os.environ[SERVED] = str(config.path)
        server.wait(say)
        signal.signal(signal.SIGINT, lambda *_: _end(server, 130))
        signal.signal(signal.SIGTERM, lambda *_: _end(server, 0))
        runner = _runner(cron, timezone, lambda: _end(server, 0))
        asyncio.run(_forget_ended_runs())
        say(
            f"Refreshing {config.path.name} at {cron!r} ({timezone}); next:"
            f" {', '.join(f'{time:%Y-%m-%d %H:%M}' for time in times)}."
        )
        say(
            f"Server: {server.api.removesuffix('/api')}, which asks for the secret in"
            f" {server.secret_file}. Stop with Ctrl-C."
        )
        asyncio.run(runner.start())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only service of a home, until this process ends: two would fire each time twice, take
    each other's runs for ended, and know one secret between them.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CitytradeError(
                f"{folder.parent} is served already, by another `citytrade serve`. End that one"
                " first, or name a configuration with another home."
            ) from None
        yield
    finally:
        os.close(handle)


def _runner(cron: str, timezone: str, end: Callable[[], NoReturn]) -> Runner:
    from prefect.runner import Runner
    from prefect.schedules import Cron

    from flows.schedule.scheduled import look_by_schedule, refresh_by_schedule

    class Served(Runner):
        """Prefect's runner would wait for its runs when it is terminated; ours end with it, and
        what is published is whole.
        """

        def handle_sigterm(self, *_: Any, **__: Any) -> None:
            end()

    runner = Served(name=DEPLOYMENT, limit=1, pause_on_shutdown=False)
    runner.add_flow(
        refresh_by_schedule,
        name=DEPLOYMENT,
        schedule=Cron(cron, timezone=timezone),
        enforce_parameter_schema=True,
    )
    runner.add_flow(
        look_by_schedule,
        name=SEALS,
        schedule=Cron(SEALS_CRON, timezone=timezone),
        enforce_parameter_schema=True,
    )
    return runner


async def _forget_ended_runs() -> None:
    """Mark as crashed what an earlier server was running when it was ended: nobody else would say
    so.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.states import Crashed

    under_way = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])
    asked = FlowRunFilter(state=FlowRunFilterState(type=under_way))
    async with get_client() as client:
        for run in await client.read_flow_runs(
            flow_run_filter=asked, sort=FlowRunSort.ID_DESC, limit=200
        ):
            await client.set_flow_run_state(
                run.id, Crashed(message="It was ended with the server that ran it."), force=True
            )


def _end(server: prefect_server.Server, code: int) -> NoReturn:
    """End at once: the runs end with this process, and a refresh that has not published has changed
    nothing.
    """
    sys.stderr.write(
        "citytrade: stopped; a refresh that was under way is ended, and what was published stays.\n"
    )
    sys.stderr.flush()
    server.stop()
    os._exit(code)
