"""The papers as dbt's exposures: what each paper's tables and figures read, from its paper.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from analysis.papers import FOLDER, Paper, load_paper, paper_names
from analysis.papers.declared import Estimation
from flows.reference.yml import Line, dump

HEAD = (
    "# Written from analysis/papers/<slug>/paper.toml by `make reference`: edit that, not this"
    " file.\n\n"
)
OWNER = Line(name="The citytrade maintainers")


def exposures_yml() -> str:
    """dbt_project/models/panels/_panels_exposures.yml: an exposure a paper."""
    given = {"version": 2, "exposures": [_exposure(slug) for slug in paper_names()]}
    return HEAD + dump(given)


def _exposure(slug: str) -> dict[str, Any]:
    papers = [load_paper(slug, variant) for variant in ("", *sorted(_variants(slug)))]
    paper = papers[0]
    read = sorted({table for one in papers for table in _tables(one)})
    return {
        "name": slug,
        "label": paper.title,
        "type": "analysis",
        "maturity": "high",
        "owner": OWNER,
        "description": (
            f"Estimated by `citytrade papers {slug}`, each number beside the published one."
        ),
        "depends_on": [f"ref('{table}')" for table in read],
        "config": {"meta": Line(tables=list(paper.tables), figures=list(paper.figures))},
    }


def _variants(slug: str) -> set[str]:
    """Every variant that a paper.toml names, at whatever level."""

    def named(level: Any) -> Iterator[str]:
        if isinstance(level, dict):
            yield from level.get("variants", {})
            for below in level.values():
                yield from named(below)
        elif isinstance(level, list):
            for below in level:
                yield from named(below)

    return set(named(tomllib.loads((FOLDER / slug / "paper.toml").read_text(encoding="utf-8"))))


def _tables(paper: Paper) -> Iterator[str]:
    """Models that a paper reads; of schema.table the table."""
    columns = (column for table in paper.tables.values() for column in table.columns.values())
    found: list[Estimation | None] = [column.estimation for column in columns]
    found += [figure.estimation for figure in paper.figures.values()]
    for one in found:
        if one is not None:
            for place in (one.panel, *(str(join["panel"]) for join in one.join)):
                yield place.rpartition(".")[2]
