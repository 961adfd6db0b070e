"""Every registered estimator with its options, from the registry."""

from __future__ import annotations

import math
from typing import Any

from analysis.estimators import registered
from analysis.estimators.core.registry import Entry, Option
from flows.reference.markdown import code, head, table

TOLD = (
    "What a paper's table can name, and what `from analysis.estimators import …` gives. The first"
    " argument is a frame, or the estimate that it follows on where `takes` says so. What the"
    " arguments mean, which programs they follow and where they differ:"
    " [estimators](../estimators/README.md)."
)


def estimators_page() -> str:
    """docs/reference/estimators.md: by family, in the order of the names."""
    parts = [head("Estimators", TOLD, "the registry of analysis/estimators")]
    entries = list(registered().values())
    for family in dict.fromkeys(sorted(one.family for one in entries)):
        parts.append(f"\n## {family}\n")
        parts += [_section(one) for one in entries if one.family == family]
    return "".join(parts)


def _section(entry: Entry) -> str:
    takes = "" if entry.takes == "frame" else f" Takes `{entry.takes}`."
    text = f"\n### {entry.name}\n\n{_plain(entry.summary)}{takes}\n"
    if not entry.options:
        return text
    rows = [(code(one.name), one.kind, _default(one)) for one in entry.options.values()]
    return text + "\n" + table(("option", "takes", "if left out"), rows)


def _plain(text: str) -> str:
    """A docstring's sentence; outside of code its stars are no emphasis."""
    parts = text.split("`")
    parts[::2] = [part.replace("*", "\\*").replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def _default(option: Option) -> str:
    if option.required:
        return "required"
    return code(_literal(option.default))


def _literal(value: Any) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if callable(value):
        return str(getattr(value, "__name__", value))
    return repr(value)
