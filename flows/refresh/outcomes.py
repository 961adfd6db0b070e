"""What became of each source in a refresh, and what of it stops a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from expectations.checks import CheckResult
from warehouse.errors import ReleaseError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.releases.publish import Manifest
from warehouse.settings.config import Config
from warehouse.sources import SOURCES

GONE_SHOWN = 5


@dataclass(frozen=True)
class SourceOutcome:
    """What became of one source in this refresh.

    status : loaded | not_configured | failed | held
    loads : what models read of it: its new loads, its former ones if it failed or is held, or none
    """

    source: str
    status: str
    loads: tuple[LoadReport, ...] = ()
    message: str = ""
    is_simulated: bool = False

    @property
    def is_trouble(self) -> bool:
        return self.status in ("failed", "held")


def former_loads(manifest: Manifest | None, source: str, lake: Path) -> tuple[LoadReport, ...]:
    """The loads of a source that the published release was made from, as far as the lake still
    holds them.
    """
    if manifest is None:
        return ()
    reports = (LoadReport(**fields) for fields in manifest.loads if fields["source"] == source)
    return tuple(report for report in reports if load_folder(lake, source, report.load_id).is_dir())


def stopped(
    status: str,
    source: str,
    message: str,
    manifest: Manifest | None,
    lake: Path,
    is_simulated: bool,
) -> SourceOutcome:
    """The outcome of a source that cannot be used as it is: its former loads stay in use, or it is
    left empty.
    """
    loads = former_loads(manifest, source, lake)
    stays = f"its former {len(loads)} files stay in use" if loads else "its columns are null"
    return SourceOutcome(source, status, loads, f"{message} ({stays})", is_simulated)


def tell_gone(outcomes: Sequence[SourceOutcome], manifest: Manifest | None) -> list[SourceOutcome]:
    """Say of every loaded source which files of the former release are gone; a file renamed or
    replaced is not gone.
    """
    told = []
    for outcome in outcomes:
        names = (
            _gone(outcome, manifest) if manifest is not None and outcome.status == "loaded" else []
        )
        if names:
            count = (
                "1 file of the former release is gone"
                if len(names) == 1
                else f"{len(names)} files of the former release are gone"
            )
            more = f" and {len(names) - GONE_SHOWN} more" if len(names) > GONE_SHOWN else ""
            outcome = replace(outcome, message=f"{count}: {', '.join(names[:GONE_SHOWN])}{more}")
        told.append(outcome)
    return told


def _gone(outcome: SourceOutcome, manifest: Manifest) -> list[str]:
    """Names of the former files whose bytes are in no file now, and whose name no file of other
    bytes has taken.
    """
    former = [
        LoadReport(**fields) for fields in manifest.loads if fields["source"] == outcome.source
    ]
    before, now = (
        {load.fingerprint for load in former},
        {load.fingerprint for load in outcome.loads},
    )
    left = Counter(load.file_name for load in former if load.fingerprint not in now)
    left.subtract(
        Counter(load.file_name for load in outcome.loads if load.fingerprint not in before)
    )
    return sorted((+left).elements())


def hold_back(
    outcomes: Sequence[SourceOutcome],
    checks: Sequence[CheckResult],
    manifest: Manifest | None,
    lake: Path,
) -> list[SourceOutcome]:
    """Hold every source whose delivery fails a critical check; its loads are not used."""
    kept = []
    for outcome in outcomes:
        failures = [
            check
            for check in checks
            if check.stops and check.table_name.split("__")[0] == outcome.source
        ]
        if failures and outcome.status == "loaded":
            kept.append(
                stopped(
                    "held", outcome.source, str(failures[0]), manifest, lake, outcome.is_simulated
                )
            )
        else:
            kept.append(outcome)
    return kept


def refuse_empty(config: Config, outcomes: Sequence[SourceOutcome]) -> None:
    """
    Raises
    ------
    ReleaseError : no source is configured, none could be read, or none gave a single row.
    """
    if not config.sources:
        raise ReleaseError(
            f"{config.path} names no source, so there is nothing to refresh. Add e.g."
            " [sources.customs] with files = [...]."
        )
    if not any(outcome.status == "loaded" for outcome in outcomes):
        troubles = "\n".join(
            f"  {outcome.source}: {outcome.message}" for outcome in outcomes if outcome.is_trouble
        )
        raise ReleaseError(
            "No source could be read, so nothing is published and any former release"
            f" stays.\n{troubles}"
        )
    if not any(load.accepted_n for outcome in outcomes for load in outcome.loads):
        aside = sum(
            (Counter(load.set_aside) for outcome in outcomes for load in outcome.loads), Counter()
        )
        reasons = "".join(f"\n  {reason}: {count:,}" for reason, count in aside.most_common())
        raise ReleaseError(
            f"The sources have no row that can be used ({aside.total():,} set aside), so nothing is"
            " published and any former release stays. Rows set aside, by reason:"
            f"{reasons or ' none'}"
        )


def refuse_failures(checks: Sequence[CheckResult]) -> None:
    """
    Raises
    ------
    ReleaseError : a critical check of a panel failed, or could not be run (each is named with its
        failing rows).
    """
    failures = [check for check in checks if check.stops]
    if failures:
        listed = "\n".join(f"  {failure}" for failure in failures)
        raise ReleaseError(
            f"{len(failures)} critical checks of panels failed, so nothing is published and the"
            f" former release stays.\n{listed}"
        )


def has_every_source(outcomes: Sequence[SourceOutcome], years: tuple[int, int]) -> bool:
    """Whether every source has rows of these years, so that `city_year` without rows would be a
    fault of the models.
    """
    return all(outcome.loads and _has_years(outcome, years) for outcome in outcomes)


def tell_empty(
    checks: Sequence[CheckResult],
    panels: Mapping[str, Sequence[str]],
    outcomes: Sequence[SourceOutcome],
    years: tuple[int, int],
) -> list[CheckResult]:
    """Say of every panel without rows which of the sources that it is made from are missing, or
    have no rows of these years.

    Parameters
    ----------
    panels : panel -> the sources that it is made from
    """
    by_name = {outcome.source: outcome for outcome in outcomes}
    told = []
    for check in checks:
        if is_empty_panel(check):
            made_from = [by_name[name] for name in panels[check.table_name]]
            absent = [outcome.source for outcome in made_from if not outcome.loads]
            outside = [
                outcome.source
                for outcome in made_from
                if outcome.loads and not _has_years(outcome, years)
            ]
            missing = f"; without {', '.join(absent)}" if absent else ""
            missing += f"; no rows of these years in {', '.join(outside)}" if outside else ""
            check = replace(check, observed=check.observed + missing)
        told.append(check)
    return told


def is_empty_panel(check: CheckResult) -> bool:
    """Whether this is the count of a panel's rows, and there are none."""
    return (
        check.stage == "panel"
        and not check.column_name
        and not check.success
        and not check.is_error
    )


def _has_years(outcome: SourceOutcome, years: tuple[int, int]) -> bool:
    """Whether a source's files have rows of these years; one whose rows have no year holds in every
    year.
    """
    spans = [(load.first_year, load.last_year) for load in outcome.loads]
    return any(
        first is None or last is None or (first <= years[1] and last >= years[0])
        for first, last in spans
    )


def all_sources(outcomes: Mapping[str, SourceOutcome]) -> list[SourceOutcome]:
    """Every known source's outcome, in the order of the list of sources; the rest is not
    configured.
    """
    return [outcomes.get(name) or SourceOutcome(name, "not_configured") for name in SOURCES]
