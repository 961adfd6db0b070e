"""Scripts and styles of a site: our own, and the libraries that packages bring along."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import vl_convert

OWN = Path(__file__).parent / "assets"
# Vega-Lite, Vega and vega-embed in one script; braces keep its names out of the page's.
CHARTS = "{{\n{bundle}\n}}\n"
CHARTS_GIVE = "window.citytrade.vegaEmbed = vegaEmbed;"
# DataTables is a module, which a page opened from disk may not load from a file: it is handed over
# as text and loaded from memory, as itables does it in a notebook without network.
TABLES = (
    "window.citytrade.tables = import(URL.createObjectURL(new Blob([{module}],"
    ' {{type: "text/javascript"}})));\n'
)


def write_assets(folder: Path) -> None:
    """Write every script and style that pages name into a folder."""
    folder.mkdir(parents=True)
    for file in sorted(OWN.iterdir()):
        shutil.copyfile(file, folder / file.name)
    bundle = vl_convert.javascript_bundle(CHARTS_GIVE)
    (folder / "charts.js").write_text(CHARTS.format(bundle=bundle), encoding="utf-8")
    tables = files("itables") / "html"
    module = json.dumps((tables / "dt_bundle.js").read_text(encoding="utf-8"))
    (folder / "tables.js").write_text(TABLES.format(module=module), encoding="utf-8")
    style = (tables / "dt_bundle.css").read_text(encoding="utf-8")
    (folder / "tables.css").write_text(style, encoding="utf-8")
