"""The fast path for benchmarks: simulated customs records straight into the lake's table, without
raw files.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from warehouse.lake.schema import as_select, stored
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.plan import draw_plan
from warehouse.simulate.model.records import draw_records
from warehouse.simulate.model.statements import state_every_postcode, stray_postcodes
from warehouse.simulate.model.trade import (
    MODES,
    UNKNOWN_PARTNER_CODE,
    Market,
    Records,
    build_market,
)
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.truth import city_year, clean_exports
from warehouse.simulate.writers.customs.by_period import MEASURES
from warehouse.sources import lake_tables

TABLE = "customs__records"
MOST_FIRMS = 120_000


def write_customs_lake(directory: Path, records_n: int, seed: int) -> Path:
    """Write `records_n` good records as `directory`/customs__records/<year>.parquet, and truth.json
    with their city_year.

    Partners stand as codes throughout, as in the files from 2007 on; places and postcodes as in the
    raw files.
    """
    from warehouse.simulate.world import RECORDS_PER_FIRM, streams

    random = streams(seed)
    folder = Path(directory) / TABLE
    folder.mkdir(parents=True, exist_ok=True)
    whole = whole_economy("paper", random)
    market = build_market(
        whole.trading,
        min(MOST_FIRMS, max(2_000, records_n // RECORDS_PER_FIRM)),
        random["market"],
    )
    plan, _ = draw_plan(whole, records_n, random)
    good = np.zeros(records_n, dtype=bool)
    records = draw_records(market, plan, good, random["records"])
    state_every_postcode(market.firms, records, good)
    stray_postcodes(market.firms, records, good, random["defects"])
    edges = np.searchsorted(records.year, [*YEARS, YEARS[-1] + 1])
    with duckdb.connect() as connection:
        for year, start, stop in zip(YEARS, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            connection.register(
                "year_records", _frame(market, records.part(slice(start, stop)), start)
            )
            columns = as_select(stored(lake_tables()[TABLE]), {})
            connection.execute(
                f"copy (select {columns} from year_records) to '{folder / str(year)}.parquet'"
                " (format parquet, compression zstd)"
            )
            connection.unregister("year_records")
    truth = {
        "simulated": True,
        "seed": seed,
        "city_year": city_year(market, records, clean_exports(records, good)),
    }
    (Path(directory) / "truth.json").write_text(
        json.dumps(truth, ensure_ascii=False), encoding="utf-8"
    )
    return Path(directory)


def _frame(market: Market, records: Records, start: int) -> pd.DataFrame:
    """One year's records as the reader would deliver them, texts as categories."""
    firms, count = market.firms, len(records)
    partner = np.where(records.partner < 0, len(market.partner_codes), records.partner)
    distinct_hs, hs = np.unique(records.hs8, return_inverse=True)
    distinct_postcodes, postcode = np.unique(records.postcode, return_inverse=True)
    names, name_index = np.unique(np.array(firms.names), return_inverse=True)
    telephones, telephone = np.unique(np.array(firms.telephones), return_inverse=True)
    stated, silent = distinct_postcodes >= 0, int(telephones[0] == "")
    return pd.DataFrame(
        {
            "year": records.year,
            "month": records.month,
            "flow": _category(["export", "import"], records.is_import.astype(np.int8)),
            "hs8": _category([f"{code:08d}" for code in distinct_hs.tolist()], hs),
            "value_cents": records.cents,
            "currency": _category(["USD"], np.zeros(count, dtype=np.int8)),
            "quantity": records.quantity,
            "quantity_unit": _category(list(MEASURES), records.hs8 // 1_000_000 % len(MEASURES)),
            "firm_code": _category(firms.codes, records.firm),
            "firm_name": _category(names.tolist(), name_index[records.firm]),
            "postcode": _category(
                [f"{code:06d}" for code in distinct_postcodes[stated].tolist()],
                postcode - int((~stated).sum()),
            ),
            "telephone": _category(telephones[silent:].tolist(), telephone[records.firm] - silent),
            "production_place": _category(market.place_texts, records.place),
            "partner_name": _category(["-"], np.full(count, -1, dtype=np.int8)),
            "partner_code": _category([*market.partner_codes, UNKNOWN_PARTNER_CODE], partner),
            "trade_mode": _category(list(MODES), records.mode),
            "file_id": _category(["simulated"], np.zeros(count, dtype=np.int8)),
            "line": np.arange(start + 1, start + count + 1),
            "load_id": _category(["simulated"], np.zeros(count, dtype=np.int8)),
        }
    )


def _category(texts: list[str], index: NDArray[np.integer]) -> pd.Series:
    """Texts by position, without one copy of the text a record."""
    return pd.Series(pd.Categorical.from_codes(index, categories=pd.Index(texts)))
