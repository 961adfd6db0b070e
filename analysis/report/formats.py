"""Pages in the formats that people paste from: text, Markdown, HTML, LaTeX, a Word document, and
cells as csv or json.
"""

from __future__ import annotations

import csv
import html
import io
import json
import math
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from analysis.papers.run import Estimated
from analysis.report.layout import Grid, Page, page_of, shown

CELL_COLUMNS = (
    "world", "release", "paper", "variant", "table", "column", "row", "ours", "std_error",
    "statistic", "p_value", "low", "high", "stars", "printed", "printed_bracket", "bracket_kind",
    "printed_stars", "doubtful", "verdict", "reason", "truth", "holds", "text",
)  # fmt: skip


def to_text(page: Page) -> str:
    """Aligned plain text."""
    parts = [page.origin, "", page.title]
    for grid in page.grids:
        parts += _aligned(grid)
    return "\n".join([*parts, *page.notes])


def to_markdown(page: Page) -> str:
    parts = [f"**{page.origin}**", "", f"**{page.title}**", ""]
    for grid in page.grids:
        lines = [_merged_heads(grid), ["---", *["---:"] * (len(grid.heads[0]) - 1)], *grid.lines]
        parts += [f"| {' | '.join(map(_piped, line))} |" for line in lines] + [""]
    return "\n".join([*parts, *(f"{note}  " for note in page.notes)])


def to_html(page: Page) -> str:
    """A page that stands alone; names are text, whatever they hold."""
    parts = [f"<p><strong>{html.escape(page.origin)}</strong></p>"]
    parts.append(f"<h1>{html.escape(page.title)}</h1>")
    for grid in page.grids:
        heads = "".join(_html_line(line, "th") for line in grid.heads)
        body = "".join(_html_line(line, "td") for line in grid.lines)
        parts.append(f"<table><thead>{heads}</thead><tbody>{body}</tbody></table>")
    parts += [f"<p>{html.escape(note)}</p>" for note in page.notes]
    head = f'<meta charset="utf-8"><title>{html.escape(page.title)}</title>'
    style = "<style>td,th{padding:0 .6em;text-align:right}td:first-child{text-align:left}</style>"
    body = "\n".join(parts)
    return f"<!doctype html><html><head>{head}{style}</head><body>{body}</body></html>"


def to_latex(page: Page) -> str:
    """A table with the package booktabs; Chinese rows need xeCJK or ctex."""
    parts = [f"% {page.origin}", r"\begin{table}", rf"\caption{{{_tex(page.title)}}}"]
    for grid in page.grids:
        parts.append(rf"\begin{{tabular}}{{l{'r' * (len(grid.heads[0]) - 1)}}}\toprule")
        parts += [" & ".join(map(_tex, line)) + r" \\" for line in grid.heads]
        parts.append(r"\midrule")
        parts += [" & ".join(map(_tex, line)) + r" \\" for line in grid.lines]
        parts.append(r"\bottomrule\end{tabular}")
    parts += [_tex(note) + r"\par" for note in (page.origin, *page.notes)]
    return "\n".join([*parts, r"\end{table}"])


def to_docx(page: Page) -> bytes:
    """A Word document (Office Open XML): the same lines and tables."""
    parts = [_paragraph(page.origin, bold=True), _paragraph(page.title, bold=True)]
    for grid in page.grids:
        rows = "".join(_docx_row(line) for line in (*grid.heads, *grid.lines))
        parts.append(f"<w:tbl><w:tblPr/>{rows}</w:tbl>")
    parts += [_paragraph(note) for note in page.notes]
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = f'{_XML}<w:document xmlns:w="{space}"><w:body>{"".join(parts)}</w:body></w:document>'
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*_DOCX.items(), ("word/document.xml", document)):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return written.getvalue()


def cell_rows(done: Estimated) -> Iterator[dict[str, Any]]:
    """The cells of a table as rows: CELL_COLUMNS, with None where there is no number."""
    shared = {
        "world": "simulated" if done.is_simulated else "real",
        "release": done.release,
        "paper": done.paper.slug,
        "variant": done.paper.variant,
    }
    for cell in done.cells:
        row = shared | asdict(cell) | {"stars": cell.stars}
        yield {name: _written(row[name]) for name in CELL_COLUMNS}


def _written(value: Any) -> Any:
    """A value as csv and JSON can hold it: no number is None, an open end of an interval a text."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else shown(value)


def to_csv(tables: Sequence[Estimated]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, CELL_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for done in tables:
        writer.writerows(cell_rows(done))
    return written.getvalue()


def to_json(tables: Sequence[Estimated]) -> str:
    found = [
        {
            "table": done.table.name,
            "title": done.table.title,
            "cells": list(cell_rows(done)),
            "notes": list(page_of(done).notes),
        }
        for done in tables
    ]
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)


PAGES: dict[str, Callable[[Page], str | bytes]] = {
    "text": to_text,
    "md": to_markdown,
    "html": to_html,
    "latex": to_latex,
    "docx": to_docx,
}
CELLS: dict[str, Callable[[Sequence[Estimated]], str]] = {"csv": to_csv, "json": to_json}
FORMATS = (*PAGES, *CELLS)

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_DOCX = {
    "[Content_Types].xml": _XML
    + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default'
    ' Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override'
    ' PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": _XML
    + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/officeDocument" Target="word/document.xml"/></Relationships>',
}
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _aligned(grid: Grid) -> list[str]:
    lines = [*grid.heads, *grid.lines]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    heads, body = ([_line(line, widths) for line in part] for part in (grid.heads, grid.lines))
    return [rule, *heads, rule, *body, rule]


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        (text, " " * (width - _width(text))) for text, width in zip(line, widths, strict=True)
    )
    return "  ".join([first[0] + first[1], *(space + text for text, space in rest)]).rstrip()


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese signs take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _merged_heads(grid: Grid) -> list[str]:
    names, sides = grid.heads
    column, merged = "", [""]
    for name, side in zip(names[1:], sides[1:], strict=True):
        column = name if side == "ours" else column
        merged.append(f"{column} {side}".strip() if side else "")
    return merged


def _piped(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*")


def _html_line(line: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(text)}</{tag}>' for text in line)}</tr>"


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def _paragraph(text: str, bold: bool = False) -> str:
    style = "<w:rPr><w:b/></w:rPr>" if bold else ""
    kept = html.escape("".join(sign for sign in text if sign.isprintable()))
    return f'<w:p><w:r>{style}<w:t xml:space="preserve">{kept}</w:t></w:r></w:p>'


def _docx_row(line: Sequence[str]) -> str:
    return f"<w:tr>{''.join(f'<w:tc>{_paragraph(text)}</w:tc>' for text in line)}</w:tr>"
