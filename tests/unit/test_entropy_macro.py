"""The SQL of entropy weights against the Python measure, which is written apart from it, and its
invariances.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest

from analysis.measures.weights import entropy_weights

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros"
NAMES = [f"i{number}" for number in range(6)]


def sql_weights(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Weights by indicator and the index by row, from the macros that the models use."""
    macros = "".join(
        (MACROS / name).read_text(encoding="utf-8") for name in ("arithmetic.sql", "entropy.sql")
    )
    query = (
        "with {{ entropy_weights('observed') }} select s.city_code, s.year, {{ entropy_index() }}"
        " as value from scaled as s inner join weights as w on s.indicator = w.indicator group by"
        " s.city_code, s.year order by 1, 2"
    )
    weights = (
        "with {{ entropy_weights('observed') }} select indicator, weight from weights order by 1"
    )
    long = frame.melt(["city_code", "year"], var_name="indicator").assign(
        direction=lambda rows: np.where(rows["indicator"] == "i5", -1, 1)
    )
    with duckdb.connect() as connection:
        connection.register("observed", long)
        index, weight = (
            connection.execute(jinja2.Template(macros + text).render()).df()
            for text in (query, weights)
        )
    return weight.set_index("indicator")["weight"], index.set_index(["city_code", "year"])["value"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(9)
    rows = pd.DataFrame(
        [(f"{city:04d}", year) for city in range(289) for year in range(2011, 2022)],
        columns=["city_code", "year"],
    )
    return rows.assign(
        **{
            name: draw.lognormal(sigma=0.2 + 0.3 * at, size=len(rows))
            for at, name in enumerate(NAMES)
        }
    )


def test_equals_the_measure(frame: pd.DataFrame) -> None:
    weight, index = sql_weights(frame)
    expected = entropy_weights(frame, NAMES[:5], NAMES[5:])
    assert weight.to_list() == pytest.approx(expected.weights[weight.index].to_list(), abs=1e-12)
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    assert index.to_numpy() == pytest.approx(expected.index.to_numpy(), abs=1e-11)


def test_units_and_order_change_nothing(frame: pd.DataFrame) -> None:
    weight, index = sql_weights(frame)
    again, shuffled = sql_weights(frame.sample(frac=1, random_state=1))
    assert again.to_list() == weight.to_list()
    assert shuffled.to_list() == index.to_list()
    units, _ = sql_weights(frame.assign(i2=frame["i2"] * 1e4 + 3, i5=frame["i5"] / 1e3))
    assert units.to_list() == pytest.approx(weight.to_list(), abs=1e-11)


def test_a_constant_indicator_has_no_weight(frame: pd.DataFrame) -> None:
    weight, index = sql_weights(frame.assign(i3=2.5))
    assert "i3" not in weight.index
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    assert index.notna().all()
    assert sql_weights(frame.assign(**dict.fromkeys(NAMES, 1.0)))[0].empty
