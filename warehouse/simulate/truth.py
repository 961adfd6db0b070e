"""The truth of a simulated world: what a pipeline that makes no mistake must find.

It follows from what the simulator knows of every record - its firm's unit and that unit's class,
its HS 2002 code, its defects - and from nothing that is written in the raw files. Values are whole
US cents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model import defects as spoiling
from warehouse.simulate.model import exports, growth, quality, trade
from warehouse.simulate.model import firms as firm_module
from warehouse.simulate.model.defects import BAD_REASONS, Defects
from warehouse.simulate.model.economy import PARAMETERS
from warehouse.simulate.model.firms import Firms
from warehouse.simulate.model.trade import LEFT_OUT, Market, Records
from warehouse.simulate.writers.customs.by_period import WrittenFile

Row = dict[str, object]


@dataclass(frozen=True)
class _Sums:
    records: int
    value_cents: int

    def row(self) -> Row:
        return {"records": self.records, "value_cents": self.value_cents}


def _sums(cents: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Row:
    return _Sums(int(chosen.sum()), int(cents[chosen].sum())).row()


def parameters() -> dict[str, object]:
    """Everything that was set, not drawn."""
    return {
        "bad_share": spoiling.BAD_SHARE,
        "firms": firm_module.SHARES,
        "records": trade.SHARES,
        "demand": trade.PARAMETERS,
        "exports": exports.parameters(),
        "quality": quality.parameters(),
        "growth": growth.parameters(),
        "economy": PARAMETERS,
    }


def clean_exports(records: Records, bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Records that the panels rest on: good rows, exports, not left out for any reason."""
    return ~bad & ~records.is_import & (records.left_out < 0)


def city_year(market: Market, records: Records, chosen: NDArray[np.bool_]) -> list[Row]:
    """City-years with clean exports: value, distinct HS 2002 codes, distinct partners; sorted by
    city and year.
    """
    codes = sorted({place.city_code for place in market.firms.places if place.city_code})
    position = np.array(
        [codes.index(place.city_code) if place.city_code else -1 for place in market.firms.places]
    )
    cell = position[market.firms.place[records.firm[chosen]]] * 10_000 + records.year[chosen]
    cells, where = np.unique(cell, return_inverse=True)
    cents = np.zeros(len(cells), dtype=np.int64)
    np.add.at(cents, where, records.cents[chosen])
    products = _distinct(where, records.product[chosen], len(cells))
    partners = _distinct(where, records.partner[chosen], len(cells))
    return [
        {
            "city_code": codes[key // 10_000],
            "year": key % 10_000,
            "export_value_usd": f"{value // 100}.{value % 100:02d}",
            "export_value_cents": value,
            "hs6_n": products_n,
            "destination_n": partners_n,
        }
        for key, value, products_n, partners_n in zip(
            cells.tolist(), cents.tolist(), products, partners, strict=True
        )
    ]


def _distinct(where: NDArray[np.integer], values: NDArray[np.integer], cells_n: int) -> list[int]:
    seen = np.zeros((cells_n, int(values.max(initial=0)) + 1), dtype=bool)
    seen[where, values] = True
    return [int(n) for n in seen.sum(axis=1)]


def customs_truth(
    market: Market, records: Records, defects: Defects, files: list[WrittenFile]
) -> Row:
    """The part of truth.json that customs records answer for."""
    bad, stated = defects.bad, defects.stated_cents(records)
    exports = ~bad & ~records.is_import
    clean = clean_exports(records, bad)
    return {
        "records_by_file": {file.name: len(file.records) for file in files},
        "bad_rows": [
            {"file": file.name, "line": int(at) + file.first_line, "reason": BAD_REASONS[reason]}
            for file in files
            for at, reason in _spoilt(defects.reason[file.records])
        ],
        "left_out": {
            reason: _sums(records.cents, exports & (records.left_out == i))
            for i, reason in enumerate(LEFT_OUT)
        },
        "totals": {
            "records": len(records),
            "bad": {
                reason: _sums(stated, defects.reason == i) for i, reason in enumerate(BAD_REASONS)
            },
            "imports": _sums(records.cents, ~bad & records.is_import),
            "exports": _sums(records.cents, exports),
            "clean_exports": _sums(records.cents, clean),
        },
        "city_year": city_year(market, records, clean),
        "elasticities": {
            code[:3]: float(sigma)
            for code, sigma in zip(market.nomenclature.codes, market.sigma, strict=True)
        },
        "firms": _firms(market.firms, np.unique(records.firm)),
    }


def _spoilt(reason: NDArray[np.int8]) -> list[tuple[int, int]]:
    at = np.flatnonzero(reason >= 0)
    return list(zip(at.tolist(), reason[at].tolist(), strict=True))


def _firms(firms: Firms, present: NDArray[np.integer]) -> dict[str, Row]:
    """Firms that have records: city of production, right postcode (null if they never state one),
    class of their unit, ln quality.
    """
    intervals = [unit.intervals() for unit in firms.units]
    return {
        firms.codes[f]: {
            "city_code": firms.places[firms.place[f]].city_code,
            "postcode": f"{firms.postcode[f]:06d}" if firms.postcode[f] >= 0 else None,
            "is_district": intervals[firms.unit[f]],
            "is_intermediary": bool(firms.is_intermediary[f]),
            "ln_quality": round(float(firms.quality[f]), 12),
        }
        for f in present.tolist()
    }


def write_truth(path: Path, truth: Row) -> None:
    """Write truth.json: one line an entry of the long lists, so that it can be read and
    compared.
    """
    lines = []
    for key, value in truth.items():
        if isinstance(value, list) and value:
            body = "[\n" + ",\n".join(_compact(item) for item in value) + "\n]"
        elif key == "firms" and isinstance(value, dict):
            body = (
                "{\n"
                + ",\n".join(f"{_compact(name)}:{_compact(item)}" for name, item in value.items())
                + "\n}"
            )
        else:
            body = _compact(value)
        lines.append(f"{_compact(key)}: {body}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
