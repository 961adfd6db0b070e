"""The first page, and the page of checks."""

from __future__ import annotations

from collections import Counter

from analysis.report.site.facts import TROUBLE, Facts
from analysis.report.site.pages import Page

CHECKS_AT_MOST = 2_000


def front_page(facts: Facts) -> Page:
    """The release: what it is made from, what is wrong with it, what of it is simulated."""
    checks = facts.rows(
        "select stage, count(*) as n, count_if(success) as passed_n from meta.checks group by all"
        " order by stage"
    )
    marks = Counter(row["mark"] for row in facts.sources)
    return Page(
        "index.html", "index.html", "Overview", "index.html",
        {
            "sources": sorted(
                facts.sources,
                key=lambda row: (row["mark"] not in TROUBLE, row["source"]),
            ),
            "troubles": [row for row in facts.sources if row["mark"] in TROUBLE],
            "marks": marks, "checks": checks, "panels": facts.panels,
            "failed": facts.rows("from meta.checks where not success order by all"),
            "problems": facts.rows("from meta.problems order by all"),
            "span_of_years": "-".join(str(year) for year in facts.manifest.years),
        },
    )  # fmt: skip


def checks_page(facts: Facts) -> Page:
    """Every check of the release: of deliveries, of models, of panels; those that failed first."""
    found = facts.rows(
        "select stage, suite, table_name, column_name, check_name, severity, success, is_error,"
        " unexpected_n, observed, failing_rows from meta.checks order by success, stage,"
        " table_name, column_name, check_name"
    )
    by_stage = facts.rows(
        "select stage, severity, count(*) as n, count_if(success) as passed_n from meta.checks"
        " group by all order by all"
    )
    return Page(
        "checks.html", "checks.html", "Checks", "checks.html",
        {"checks": found[:CHECKS_AT_MOST], "checks_n": len(found), "by_stage": by_stage},
    )  # fmt: skip
