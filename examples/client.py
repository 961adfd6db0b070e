"""A release as a client of SQLAlchemy sees it, Superset for instance: tables, columns, comments.

python -m examples.client [PANEL]
"""

from __future__ import annotations

import sys

from sqlalchemy import create_engine, inspect, text

from warehouse.store import release_folder


def main(arguments: list[str]) -> None:
    panel = arguments[0] if arguments else "city_year"
    database = release_folder() / "warehouse.duckdb"
    # Read-only: a client must neither write nor keep a refresh from publishing.
    engine = create_engine(f"duckdb:///{database}?access_mode=read_only")
    looked_at = inspect(engine)
    print("panels:", ", ".join(sorted(looked_at.get_table_names(schema="main"))))
    for column in looked_at.get_columns(panel, schema="main")[:12]:
        print(f"{column['name']:24} {column['type']!s:10} {column['comment']}")
    with engine.connect() as connection:
        query = text("select is_simulated from meta.releases where is_this")
        print("simulated:", connection.execute(query).scalar_one())


if __name__ == "__main__":
    main(sys.argv[1:])
