"""The commands that build releases and keep the house; each imports what it needs, so that all
start quickly.
"""

from __future__ import annotations

import argparse

from flows.telling.lines import say_at_once
from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config


def run_refresh(given: argparse.Namespace) -> int:
    from flows.refresh.check import check
    from flows.refresh.start import run
    from flows.telling.progress import telling

    config = load_config(given.config)
    unknown = sorted(set(given.confirm) - set(config.sources))
    if unknown:
        there = ", ".join(sorted(config.sources))
        raise CitytradeError(
            f"--confirm {unknown[0]}: {config.path.name} names no such source. There are: {there}."
        )
    with telling() as say:
        if given.check:
            return check(config, say)
        return run(config, given.force, frozenset(given.confirm), say, given.engine, given.full)


def run_simulate(given: argparse.Namespace) -> None:
    from warehouse.simulate import simulate

    layouts = dict(_layout_of(text) for text in given.layout)
    simulate(given.directory, given.scale, given.seed, say_at_once, layouts)


def _layout_of(text: str) -> tuple[str, str]:
    source, equals, layout = text.partition("=")
    if not equals:
        raise CitytradeError(
            f"--layout {text}: is not SOURCE=LAYOUT. Write for example --layout customs=csmar."
        )
    return source, layout


def run_rollback(given: argparse.Namespace) -> None:
    from flows.doors.releases import roll_back

    left, target = roll_back(load_config(given.config), given.release)
    print(
        f"Readers get release {target} now, no longer {left}. The next refresh builds from the raw"
        " files as they are then: stop the schedule if it should not."
    )


def run_rebuild(given: argparse.Namespace) -> None:
    from flows.refresh.rebuild import rebuild

    rebuild(load_config(given.config), given.release, say_at_once)


def run_serve(given: argparse.Namespace) -> None:
    from flows.schedule.serve import serve

    serve(load_config(given.config), given.cron, given.timezone, given.port, say_at_once)


def run_doctor(given: argparse.Namespace) -> int:
    from flows.doctor import examine
    from flows.telling.printing import table

    findings = examine(given.config)
    rows = [
        (finding.what, finding.found, "mend" if finding.remedy else "ok") for finding in findings
    ]
    print(table(("what", "found", ""), rows, cell_width=100))
    for finding in findings:
        if finding.remedy:
            print(f"{finding.what}: {finding.remedy}")
    return 1 if any(finding.remedy for finding in findings) else 0
