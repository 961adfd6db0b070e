"""Findings as text, csv or json."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from analysis.report.audit.findings import WEIGHTS, Finding

COLUMNS = ("paper", "rule", "place", "arithmetic", "certainty", "weight", "doubtful")
Audited = Sequence[tuple[str, Sequence[Finding]]]


def print_findings(audited: Audited, form: str) -> None:
    """To standard output; csv and json have a row a finding and nothing else."""
    rows = [{"paper": name} | asdict(one) for name, found in audited for one in found]
    if form == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        print("\n".join(_lines(audited)))


def _lines(audited: Audited) -> list[str]:
    lines = []
    for name, found in audited:
        lines += [f"{name}: {_counts(found)}", ""]
        for one in found:
            doubt = f" [hard to read: {one.doubtful}]" if one.doubtful else ""
            lines.append(f"  {one.weight}, {one.certainty}. {one.place}: {one.arithmetic}{doubt}")
        lines += [""] if found else []
    return lines


def _counts(found: Sequence[Finding]) -> str:
    if not found:
        return "nothing found."
    by_weight = Counter(one.weight for one in found)
    said = ", ".join(f"{by_weight[weight]} {weight}" for weight in WEIGHTS if by_weight[weight])
    return f"{len(found)} findings: {said}."
