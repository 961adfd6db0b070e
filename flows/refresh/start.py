"""`citytrade refresh`: one at a time, nothing done when nothing changed, and only then Prefect."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from flows.processes import lock, prefect_server
from flows.refresh.engine import refuse_absent
from flows.refresh.inputs import Inputs, find_inputs, is_unchanged, published
from flows.refresh.leftovers import remove_leftovers
from flows.telling.alerts import resolved, tell_trouble
from flows.telling.lines import Say, say_at_once
from flows.telling.log import event, log_to_file
from warehouse.database import limited
from warehouse.errors import ReleaseError
from warehouse.releases.publish import current_release
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config

if TYPE_CHECKING:
    from warehouse.releases.publish import Manifest

SHOWN = 5


def run(
    config: Config,
    force: bool = False,
    confirmed: frozenset[str] = frozenset(),
    say: Say = say_at_once,
    engine: str = "duckdb",
    full: bool = False,
) -> int:
    """Refresh, and return the exit code: 0 done or nothing to do, 3 published although a source
    failed or is held.

    Whoever the configuration names is alerted of any trouble.

    Parameters
    ----------
    confirmed : sources whose change of size since the former release is right, so that it holds
        nothing
    engine : duckdb, or spark for what `flows.refresh.engine` builds there
    full : build every table anew, also where the former release has the same

    Raises
    ------
    CitytradeError : nothing was published (exit code 1), or another refresh runs.
    """
    start = time.perf_counter()
    resolved(config)
    if engine == "spark":
        refuse_absent(config.spark)
    with _alerting(config, say), lock.hold(config.home, say), log_to_file(config.home):
        before = current_release(config.home)
        event("refresh started", config=config.path.name, release=before, force=force)
        removed = remove_leftovers(config)
        if removed:
            say(f"Removed what earlier refreshes had left: {_listed(config, removed)}.")
        try:
            asked = Asked(force or full, full, confirmed, engine)
            with limited(config.memory, config.spill):
                code, troubles = _refresh(config, asked, start, say)
        except Exception as error:
            kept = _tell_failure(config, error, before, start, say)
            if isinstance(error, (OSError, duckdb.Error)):
                told = " ".join(str(error).split())
                raise ReleaseError(
                    f"The refresh stopped ({told}); {kept}. Check the disk and its permissions,"
                    " then refresh again."
                ) from error
            raise
        _tell_end(config, code, troubles, before, start, say)
    return code


@contextmanager
def _alerting(config: Config, say: Say) -> Iterator[None]:
    """Alert of a home that cannot be written to: whoever relies on a schedule sees no terminal."""
    try:
        yield
    except lock.HomeError as error:
        tell_trouble(config, "refresh", "The refresh did not begin.", [str(error)], say)
        raise


def _tell_failure(
    config: Config, error: Exception, before: str | None, start: float, say: Say
) -> str:
    """Log a refresh that failed and alert of it; returns what readers have now."""
    after = current_release(config.home)
    kept = (
        "readers keep the former release"
        if after == before
        else f"it had published release {after} before that"
    )
    seconds = round(time.perf_counter() - start, 1)
    event("refresh failed", logging.ERROR, problem=str(error), seconds=seconds)
    tell_trouble(config, "refresh", f"The refresh failed; {kept}.", [str(error)], say)
    return kept


def _tell_end(
    config: Config, code: int, troubles: list[str], before: str | None, start: float, say: Say
) -> None:
    """Log the end of a refresh, and alert of sources in trouble, or that no one is any more."""
    for trouble in troubles:
        event("source in trouble", logging.ERROR, problem=trouble)
    release = current_release(config.home)
    seconds = round(time.perf_counter() - start, 1)
    event("refresh ended", exit_code=code, release=release, seconds=seconds)
    did = "found nothing new, and the release is" if release == before else "published"
    said = f"The refresh {did} without {len(troubles)} of its sources' new data."
    tell_trouble(config, "refresh", said, troubles, say)


def _listed(config: Config, paths: Sequence[Path]) -> str:
    """The first few of some paths, from the home on."""
    shown = [
        str(path.relative_to(config.home)) if path.is_relative_to(config.home) else path.name
        for path in paths[:SHOWN]
    ]
    return ", ".join(shown) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")


def _altered(config: Config, former: Manifest, say: Say) -> bool:
    """Whether the published release is no longer as it was sealed; it is then said how, and built
    again.
    """
    broken = broken_seals(config.builds / former.release)
    if broken:
        say(
            f"warning: release {former.release} was changed after its publication"
            f" ({'; '.join(broken[:SHOWN])}): it is built again."
        )
    return bool(broken)


def _former(config: Config, force: bool, say: Say) -> Manifest | None:
    """The published release's manifest; with `force`, one that cannot be read does not stand in the
    way of the next.
    """
    try:
        return published(config)
    except ReleaseError as error:
        if not force:
            raise
        say(
            f"warning: {error} It is left aside: no former files can stand in for a source that"
            " fails, and no change of size is seen."
        )
        return None


@dataclass(frozen=True)
class Asked:
    """What a refresh is asked for: see `run`."""

    force: bool
    full: bool
    confirmed: frozenset[str]
    engine: str


def _refresh(config: Config, wanted: Asked, start: float, say: Say) -> tuple[int, list[str]]:
    """The exit code, and a line for each source in trouble."""
    former, may_rest = _former(config, wanted.force, say), not wanted.force and not wanted.confirmed
    if may_rest and former is not None and _world_is_there(config):
        inputs = find_inputs(config)
        if (
            is_unchanged(config, inputs, former)
            and not _altered(config, former, say)
            and not _recovered(config, inputs, former, say)
        ):
            return _nothing_changed(former, inputs, time.perf_counter() - start, say)
    prefect_server.quiet(config.home)
    with prefect_server.server(config.home) as server:
        from flows.refresh import flow as refresh
        from flows.refresh.summary import summary

        server.wait(say)
        asked = refresh.Refresh(config, former, say, wanted.confirmed, wanted.engine, wanted.full)
        with refresh.at(server):
            state = refresh.refresh(asked, return_state=True)
            if asked.done is None:
                state.result()
    done = asked.done
    assert done is not None, "a refresh that did not publish has raised"
    say(summary(done, time.perf_counter() - start))
    return done.exit_code, [
        _trouble(outcome.source, outcome.status, outcome.message)
        for outcome in done.outcomes
        if outcome.is_trouble
    ]


def _trouble(source: str, status: str, message: str) -> str:
    """A source's trouble, in the same words each time: by these it is known that it was told."""
    return f"{source} {status}: {message}"


def _world_is_there(config: Config) -> bool:
    if config.simulate is None:
        return True
    from warehouse.simulate import world_is_current

    return world_is_current(config.simulate.directory, config.simulate.scale, config.simulate.seed)


def _recovered(config: Config, inputs: Inputs, former: Manifest, say: Say) -> list[str]:
    """Sources that failed in the former release and can be read now: the same bytes may have failed
    for want of memory or of a network.
    """
    failed = [source["source"] for source in former.sources if source["status"] == "failed"]
    tried = [source for source in failed if inputs.files.get(source)]
    if not tried:
        return []
    from flows.refresh.reading import Reader
    from warehouse.errors import SourceError

    recovered = []
    with Reader(config.lake, say) as reader:
        for source in tried:
            say(f"Trying {source} again, which failed in the former release")
            try:
                reader.read(source, inputs.files[source], config.sources[source].options)
            except (SourceError, OSError):
                continue  # the former release's message about it is still true, and is printed
            recovered.append(source)
    return recovered


def _nothing_changed(
    former: Manifest, inputs: Inputs, seconds: float, say: Say
) -> tuple[int, list[str]]:
    kind = "SIMULATED release" if former.is_simulated else "release"
    say(
        f"Nothing changed since {kind} {former.release} ({inputs.files_n} files, checked in"
        f" {seconds:.1f} s)."
    )
    troubles = [source for source in former.sources if source["status"] in ("failed", "held")]
    for trouble in troubles:
        say(f"  {trouble['source']} is still {trouble['status']}: {trouble['message']}")
    told = [_trouble(one["source"], one["status"], one["message"]) for one in troubles]
    return 3 if troubles else 0, told
