"""Texts that dbt's documentation shows for columns, written from the dictionary so that each stands in one place.

`python -m warehouse.dictionary.docs` writes `dbt_project/models/columns.md`; a test fails when it is out of date.
"""

from __future__ import annotations

from warehouse.dictionary.entries import read_dictionary
from warehouse.project import DBT_PROJECT

BLOCKS = DBT_PROJECT / "models" / "columns.md"


def doc_blocks() -> str:
    """One dbt docs block a column: labels, unit, definition, source and bounds."""
    blocks = ["<!-- Written from seeds/dictionary/columns.csv by `make docs`; edit the dictionary, not this file. -->"]
    for entry in read_dictionary().values():
        bounds = ""
        if entry.minimum is not None or entry.maximum is not None:
            low = "" if entry.minimum is None else f"{entry.minimum:g}"
            high = "" if entry.maximum is None else f"{entry.maximum:g}"
            bounds = f" Bounds: {low}..{high} ({entry.bound_reason})."
        text = f"{entry.label_en} ({entry.label_zh}); {entry.unit}. {entry.definition} Source: {entry.source}.{bounds}"
        blocks.append(f"{{% docs {entry.column_name} %}}\n{text}\n{{% enddocs %}}")
    return "\n\n".join(blocks) + "\n"


def main() -> None:
    BLOCKS.write_text(doc_blocks(), encoding="utf-8")
    print(f"{BLOCKS.name}: {len(read_dictionary())} columns")


if __name__ == "__main__":
    main()
