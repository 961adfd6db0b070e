"""Templates to pages: each page once a language, every value escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.site.languages import LANGUAGES, told_column, translated

TEMPLATES = Path(__file__).parent / "templates"
NAVIGATION = (
    ("index.html", "Overview"),
    ("panels.html", "Panels"),
    ("explorer.html", "Explorer"),
    ("sources.html", "Sources"),
    ("checks.html", "Checks"),
    ("papers.html", "Papers"),
    ("estimators.html", "Estimators"),
    ("releases.html", "Releases"),
    ("lineage.html", "Lineage"),
    ("decisions.html", "Decisions"),
)


@dataclass(frozen=True)
class Page:
    """One page before it is written.

    Attributes
    ----------
    path : below the language's folder, such as panels/city_year.html
    template : its file in `templates`
    title : in English, or a name that is the same in every language
    section : the entry of NAVIGATION that it stands under
    values : what the template shows
    """

    path: str
    template: str
    title: str
    section: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Writer:
    """Writes pages into a folder.

    Parameters
    ----------
    shared : values that every page shows: release, is_simulated, built
    """

    def __init__(self, folder: Path, shared: Mapping[str, Any]) -> None:
        self.folder, self.shared = folder, shared
        self._environments = {language: _environment(language) for language in LANGUAGES}

    def write(self, page: Page) -> None:
        """The page in every language; English stands at the top, others in folders of their own."""
        for language, environment in self._environments.items():
            place = page.path if language == "en" else f"{language}/{page.path}"
            up = "../" * (len(PurePosixPath(place).parts) - 1)
            home = "../" * (len(PurePosixPath(page.path).parts) - 1)
            others = [
                (code, name, up + (page.path if code == "en" else f"{code}/{page.path}"))
                for code, name in LANGUAGES.items()
            ]
            text = environment.get_template(page.template).render(
                **{**self.shared, **page.values}, page=page, language=language, root=up, home=home,
                languages=others, navigation=NAVIGATION,
            )  # fmt: skip
            file = self.folder / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def script_data(value: Any) -> Markup:
    """A value as JSON that may stand inside a script element: no sign in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def number(value: Any) -> str:
    """A number as a reader takes it in: thousands apart, six figures; empty where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        whole = value == round(value) and abs(value) < 1e15
        return (
            f"{value:,.0f}" if whole else f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
        )
    if isinstance(value, (date, datetime)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def span(first: Any, last: Any) -> str:
    """A span of years; empty where there is none."""
    if first is None or last is None:
        return ""
    return f"{first}" if first == last else f"{first}-{last}"


def percent(share: float | None) -> str:
    """A share as whole per cent; only 0 is 0 and only 1 is 100."""
    if share is None or math.isnan(share):
        return ""
    return f"{min(max(round(100 * share), int(share > 0)), 100 - int(share < 1))} %"


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Not the new style: it takes what it translates for markup, and some of it is data.
    told = partial(translated, language=language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        told, lambda one, more, n: told(one if n == 1 else more), newstyle=False
    )
    environment.filters |= {"number": number, "script_data": script_data, "percent": percent}
    environment.filters["told_column"] = partial(told_column, language=language)
    environment.filters["told_panel"] = partial(told, context="panel")
    environment.globals |= {"span": span}
    return environment
