"""`citytrade site`: the current release as a folder of pages that opens from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from analysis.report.site.assets import write_assets
from analysis.report.site.changes import releases_page
from analysis.report.site.data import DataFolder
from analysis.report.site.documents import document_pages
from analysis.report.site.explorer import explorer_page, put_cities
from analysis.report.site.facts import Facts
from analysis.report.site.front import checks_page, front_page
from analysis.report.site.languages import LANGUAGES
from analysis.report.site.lineage import lineage_pages
from analysis.report.site.pages import Page, Writer
from analysis.report.site.panels import Save, panel_pages
from analysis.report.site.papers import paper_pages
from analysis.report.site.sources import source_pages
from analysis.report.site.writing import new_folder
from warehouse.settings.config import Config

Say = Callable[[str], None]


def build_site(config: Config, out: Path, save: Save, say: Say, figures: bool = False) -> str:
    """Write the site of the current release into a folder, whole or not at all; returns the
    release.

    Parameters
    ----------
    out : a folder that is not there, is empty, or was made here
    save : writes a panel into a file whose ending says the format; returns the file's name
    say : is told of each part that is done
    figures : estimate and draw the papers' figures too, which takes minutes

    Raises
    ------
    CitytradeError : nothing is published, or `out` holds something else or cannot be written.
    """
    with new_folder(out) as folder, Facts(config) as facts:
        shared = {
            "release": facts.release,
            "is_simulated": facts.is_simulated,
            "panels": facts.panels,
            "city_names": {
                code: {row["city_code"]: row[f"city_name_{code}"] for row in facts.cities}
                for code in LANGUAGES
            },
            "created_at": facts.manifest.created_at[:16].replace("T", " "),
        }
        writer = Writer(folder, shared)
        write_assets(folder / "assets")
        data = DataFolder(folder / "data", facts.is_simulated, facts.release)
        put_cities(facts, data)
        for name, pages in _parts(facts, folder, data, save, figures):
            began, count = perf_counter(), 0
            for page in pages:
                writer.write(page)
                count += 1
            took = perf_counter() - began
            say(f"  {name}: {count} page{'' if count == 1 else 's'}, {took:.1f} s")
        return facts.release


def _parts(
    facts: Facts, folder: Path, data: DataFolder, save: Save, figures: bool
) -> Iterator[tuple[str, Iterator[Page]]]:
    """The parts of the site in the order in which they are made."""
    yield "overview", iter([front_page(facts), checks_page(facts)])
    yield "panels", panel_pages(facts, folder, data, save)
    yield "explorer", iter([explorer_page(facts, data)])
    yield "sources", source_pages(facts, data)
    yield "papers", paper_pages(facts, folder, figures)
    yield "estimators", document_pages("estimators", "estimators.html")
    yield "releases", iter([releases_page(facts)])
    yield "lineage", lineage_pages(facts, folder)
    yield "decisions", document_pages("decisions", "decisions.html")
