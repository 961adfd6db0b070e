"""Rows that a reader must set aside: which records are spoilt, for which reason, and what stands in
the file instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.trade import Records

BAD_SHARE = 0.03
# In the order in which readers look: a row with two defects is set aside for the first.
BAD_REASONS = (
    "bad_date",
    "bad_flow",
    "bad_hs_code",
    "missing_place",
    "missing_partner",
    "bad_value",
    "negative_value",
    "bad_quantity",
)
SECOND_DEFECT_SHARE = 0.1


@dataclass(frozen=True)
class Defects:
    """Per record: the reason (an index into BAD_REASONS, -1 for a good row), which form it takes,
    and whether the quantity is bad too.
    """

    reason: NDArray[np.int8]
    form: NDArray[np.int8]
    second: NDArray[np.bool_]

    @property
    def bad(self) -> NDArray[np.bool_]:
        return self.reason >= 0

    def part(self, chosen: slice | NDArray[np.integer]) -> Defects:
        return Defects(self.reason[chosen], self.form[chosen], self.second[chosen])

    def without(self, reason: str, instead: str, where: NDArray[np.bool_]) -> Defects:
        """The same rows spoilt; in the rows of `where`, whose layout cannot show one of the
        defects, in another way.
        """
        changed = np.where(
            where & (self.reason == BAD_REASONS.index(reason)),
            np.int8(BAD_REASONS.index(instead)),
            self.reason,
        )
        return Defects(changed.astype(np.int8), self.form, self.second)

    def stated_cents(self, records: Records) -> NDArray[np.int64]:
        """The value that stands in the file, in cents; bad_value rows state none and count as 0."""
        cents = records.cents.copy()
        cents[self.reason == BAD_REASONS.index("bad_value")] = 0
        negative = self.reason == BAD_REASONS.index("negative_value")
        cents[negative] = np.where(self.form[negative] % 2 == 0, -cents[negative], 0)
        return cents


def draw_defects(count: int, rng: np.random.Generator) -> Defects:
    """Spoil BAD_SHARE of `count` records, each reason equally often."""
    spoilt = rng.choice(count, round(count * BAD_SHARE), replace=False)
    reason = np.full(count, -1, dtype=np.int8)
    reason[spoilt] = np.arange(len(spoilt)) % len(BAD_REASONS)
    second = (reason >= 0) & (rng.random(count) < SECOND_DEFECT_SHARE)
    return Defects(reason, rng.integers(0, 4, count).astype(np.int8), second)


# Text forms, one list a reason: (column, what stands there, from the good text and the year).
TEXT_FORMS: dict[str, tuple[str, tuple[Callable[[str, int], str], ...]]] = {
    "bad_date": (
        "日期",
        (
            lambda _, year: f"{year}13",
            lambda _, year: "",
            lambda _, year: f"{year}",
            lambda _, year: f"{year}00",
        ),
    ),
    "bad_flow": (
        "进口或出口",
        (lambda _, __: "转口", lambda _, __: "", lambda _, __: "2", lambda _, __: "出"),
    ),
    "bad_hs_code": (
        "HS编码",
        (
            lambda code, _: code[:6],
            lambda _, __: "",
            lambda code, _: f"{code[:3]}A{code[4:]}",
            lambda code, _: f"98{code[2:]}",
        ),
    ),
    "missing_place": (
        "消费地或生产地",
        (lambda _, __: "", lambda _, __: "\u3000", lambda _, __: " ", lambda _, __: ""),
    ),
    "missing_partner": (
        "起运国或目的国",
        (lambda _, __: "", lambda _, __: " ", lambda _, __: "", lambda _, __: "\u3000"),
    ),
    "bad_value": (
        "金额",
        (lambda _, __: "", lambda _, __: "N/A", lambda _, __: "—", lambda _, __: "见附件"),
    ),
    "negative_value": (
        "金额",
        (
            lambda value, _: f"-{value}",
            lambda _, __: "0",
            lambda value, _: f"-{value}",
            lambda _, __: "0.00",
        ),
    ),
    "bad_quantity": (
        "数量",
        (
            lambda quantity, _: f"-{quantity}",
            lambda _, __: "若干",
            lambda quantity, _: f"-{quantity}",
            lambda _, __: "-1",
        ),
    ),
}


def spoil_text(columns: dict[str, list[str]], defects: Defects, year: int) -> None:
    """Write the defects of a csv file's rows into its text columns, in place."""
    for at in np.flatnonzero(defects.bad).tolist():
        reason = BAD_REASONS[defects.reason[at]]
        column, forms = TEXT_FORMS[reason]
        columns[column][at] = forms[defects.form[at]](columns[column][at], year)
        if defects.second[at] and reason != "bad_quantity":
            columns["数量"][at] = "-1"


def spoil_numbers(table: NDArray[np.void], defects: Defects, missing: dict[str, float]) -> None:
    """Write the defects of a Stata file's rows into its table, in place; `missing` is Stata's own
    missing value by column.
    """
    odd = defects.form % 2 == 1

    def put(reason: str, column: str, values: object) -> None:
        rows = defects.reason == BAD_REASONS.index(reason)
        table[column][rows] = np.broadcast_to(np.asarray(values), (len(table),))[rows]

    put("bad_date", "_日期", np.where(odd, missing["_日期"], table["_日期"] // 100 * 100 + 13))
    put("bad_flow", "_进口或出口", np.where(odd, missing["_进口或出口"], 2))
    no_such_chapter = 98_000_000 + table["_税号编码"] % 1_000_000
    put(
        "bad_hs_code",
        "_税号编码",
        np.select(
            [defects.form == 0, odd],
            [table["_税号编码"] // 100, missing["_税号编码"]],
            no_such_chapter,
        ),
    )
    put("missing_place", "_消费地进口or生产地出口", b"")
    put("missing_partner", "_起运国或目的国", missing["_起运国或目的国"])
    put("bad_value", "_金额", missing["_金额"])
    put("negative_value", "_金额", np.where(odd, 0.0, -table["_金额"]))
    put("bad_quantity", "_数量", -table["_数量"])
    also = defects.second & (defects.reason != BAD_REASONS.index("bad_quantity"))
    table["_数量"][also] = -1.0
