"""When the schedule fires: five fields and a time zone, checked before anything is served."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from warehouse.errors import CitytradeError

EXAMPLE = (
    "Five fields are needed (minute, hour, day of the month, month, day of the week), "
    'such as "0 6 * * 1" for Mondays at 6'
)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises
    ------
    CitytradeError : there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise CitytradeError(
            f"--timezone {name!r} is no time zone. Give one by its name, such as Asia/Shanghai or"
            " UTC."
        ) from error


def next_times(cron: str, timezone: str, now: datetime, times_n: int = 3) -> list[datetime]:
    """The next moments at which a cron line fires, in its time zone.

    Raises
    ------
    CitytradeError : a line that is none, or one that never fires, such as the 31st of February.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise CitytradeError(
            f"{cron!r} is not a cron line: it has {len(fields)} fields. {EXAMPLE}."
        )
    try:
        times = list(islice(CronSim(cron, now.astimezone(zone(timezone))), times_n))
    except CronSimError as error:
        raise CitytradeError(
            f"{cron!r} is not a cron line that ever fires ({str(error).lower()}). {EXAMPLE}."
        ) from error
    if len(times) < times_n:
        raise CitytradeError(
            f"{cron!r} never fires, or not {times_n} times in the next fifty years. {EXAMPLE}."
        )
    return times
