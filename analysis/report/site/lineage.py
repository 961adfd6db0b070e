"""Lineage: which sources a panel stands on, and dbt's own documentation as one page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dbt.task.docs import DOCS_INDEX_FILE_PATH
from markupsafe import escape

from analysis.report.site.facts import Facts
from analysis.report.site.pages import Page, script_data

PAGE = "files/dbt.html"
BANNER = (
    '<div style="background:#fff3d8;color:#7a4a00;padding:.4rem 1rem;text-align:center;'
    'font:600 14px system-ui">{text}</div>'
)
SIMULATED = "SIMULATED WORLD · 模拟数据"


def lineage_pages(facts: Facts, folder: Path) -> Iterator[Page]:
    """The page of lineage, with dbt's documentation beside it where the release has a manifest."""
    manifest = facts.folder / "dbt" / "manifest.json"
    if manifest.is_file():
        _write_dbt(facts, manifest, folder / PAGE)
    yield Page(
        "lineage.html", "lineage.html", "Lineage", "lineage.html",
        {"dbt": PAGE if manifest.is_file() else "",
         "source_names": [row["source"] for row in facts.sources]},
    )  # fmt: skip


def _write_dbt(facts: Facts, manifest: Path, file: Path) -> None:
    """dbt's page with its data inside, as `dbt docs generate --static` makes it; of the folders of
    this machine it says nothing, and it may not ask the network for anything.
    """
    told: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    told["metadata"] |= {"env": {}, "send_anonymous_usage_stats": False, "user_id": None}
    for node in (*told["nodes"].values(), *told["macros"].values(), *told["sources"].values()):
        for key in ("root_path", "build_path", "compiled_path", "compiled_code"):
            node.pop(key, None)
    catalog = {"metadata": {}, "nodes": _tables(facts, told), "sources": {}, "errors": None}
    text = Path(DOCS_INDEX_FILE_PATH).read_text(encoding="utf-8")
    text = text.replace('"MANIFEST.JSON INLINE DATA"', script_data(told))
    text = text.replace('"CATALOG.JSON INLINE DATA"', script_data(catalog))
    policy = (
        "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
        " img-src data: blob:; font-src data:"
    )
    # Its template asks for two files by names that stand for values, before it knows the values.
    text = text.replace(' xlink:href="{{', ' ng-attr-xlink:href="{{')
    text = re.sub(r'<link rel="shortcut icon"[^>]*>', '<link rel="icon" href="data:,">', text)
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
    text = text.replace("<head>", head, 1)
    if facts.is_simulated:
        said = BANNER.format(text=escape(f"{SIMULATED}, release {facts.release}"))
        at = text.index(">", text.index("<body")) + 1
        text = text[:at] + said + text[at:]
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _tables(facts: Facts, manifest: dict[str, Any]) -> dict[str, Any]:
    """dbt's catalogue of the tables that the release holds."""
    columns: dict[tuple[str, str], dict[str, Any]] = {}
    for row in facts.rows(
        "select table_schema, table_name, column_name, data_type, ordinal_position from"
        " information_schema.columns where table_catalog = current_database() order by all"
    ):
        columns.setdefault((row["table_schema"], row["table_name"]), {})[row["column_name"]] = {
            "type": row["data_type"], "index": row["ordinal_position"],
            "name": row["column_name"], "comment": None,
        }  # fmt: skip
    return {
        name: {
            "metadata": {"type": "BASE TABLE", "schema": node["schema"], "name": node["name"],
                         "database": None, "comment": None, "owner": None},
            "columns": columns[node["schema"], node["name"]], "stats": {}, "unique_id": name,
        }
        for name, node in manifest["nodes"].items()
        if (node["schema"], node["name"]) in columns
    }  # fmt: skip
