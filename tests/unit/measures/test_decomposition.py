from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.decomposition import EFFECTS, decompose_change

# A city with products a, b (continuing), c (leaves), d (enters): exports and quality in two years.
ROWS = [
    ("x", "a", 2001, 50, 0.4),
    ("x", "b", 2001, 30, 0.6),
    ("x", "c", 2001, 20, 0.2),
    ("x", "a", 2002, 40, 0.5),
    ("x", "b", 2002, 40, 0.6),
    ("x", "d", 2002, 20, 0.9),
]


def frame(rows=ROWS):
    return pd.DataFrame(rows, columns=["city", "product", "year", "value", "quality"])


def decompose(rows):
    return decompose_change(rows, ["city"], "product", "value", "quality")


def test_melitz_and_polanec_by_hand():
    found = decompose(frame()).iloc[0]
    # weighted means: 2001 0.2 + 0.18 + 0.04 = 0.42; 2002 0.2 + 0.24 + 0.18 = 0.62
    # continuing: 2001 0.38 / 0.8 = 0.475, plain 0.5; 2002 0.44 / 0.8 = 0.55, plain 0.55
    expected = {
        "level": 0.62, "total": 0.20, "within": 0.05, "between": (0.55 - 0.55) - (0.475 - 0.5),
        "entry": 0.2 * (0.9 - 0.55), "exit": 0.2 * (0.475 - 0.2),
        "gap": 0.15,
    }  # fmt: skip
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=1e-15)
    assert (found["continuing_n"], found["entering_n"], found["leaving_n"]) == (2, 1, 1)


def test_griliches_and_regev_by_hand():
    found = decompose(frame()).iloc[0]
    middle = 0.52
    expected = {
        "griliches_regev_within": 0.45 * 0.1,
        "griliches_regev_between": -0.1 * (0.45 - middle) + 0.1 * (0.6 - middle),
        "griliches_regev_entry": 0.2 * (0.9 - middle),
        "griliches_regev_exit": -0.2 * (0.2 - middle),
    }
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=1e-15)


def random_frame(seed):
    rng = np.random.default_rng(seed)
    rows = [(f"c{city}", f"p{product}", year, rng.lognormal(10, 2),
        rng.random()) for city in range(12) for product in range(40) for year in range(2000, 2008)
            if rng.random() < 0.6]  # fmt: skip
    return frame(rows)


@pytest.mark.parametrize("seed", range(5))
def test_effects_add_up(seed):
    found = decompose(random_frame(seed))
    assert len(found) == 12 * 7
    for prefix in ("", "griliches_regev_"):
        assert np.abs(sum(found[prefix + name] for name in EFFECTS) - found["total"]).max() < 1e-12
        assert (
            np.abs(found[prefix + "within"] + found[prefix + "gap"] - found["total"]).max() < 1e-12
        )


def test_order_of_rows_and_unit_of_weights_do_not_matter():
    rows = random_frame(1)
    shuffled = rows.sample(frac=1, random_state=3).assign(value=lambda part: part["value"] * 1024)
    pd.testing.assert_frame_equal(decompose(rows), decompose(shuffled), check_exact=True)


def test_cities_do_not_touch_each_other():
    rows = random_frame(2)
    apart = pd.concat([decompose(part) for _, part in rows.groupby("city")], ignore_index=True)
    pd.testing.assert_frame_equal(
        decompose(rows).sort_values(["city", "year"], ignore_index=True), apart, check_exact=True
    )


def test_nothing_enters_or_leaves():
    found = decompose(frame([row for row in ROWS if row[1] in "ab"])).iloc[0]
    assert found["entry"] == found["exit"] == 0
    assert found["within"] + found["between"] == pytest.approx(found["total"], abs=1e-15)


def test_nothing_stays():
    found = decompose(frame([("x", "a", 2001, 1, 0.2), ("x", "b", 2002, 1, 0.5)])).iloc[0]
    assert found["total"] == pytest.approx(0.3)
    assert found[[*EFFECTS, "gap", "griliches_regev_between"]].isna().all()
    assert found["continuing_n"] == 0


def test_a_year_without_exports_has_no_change_to_explain():
    assert decompose(frame([("x", "a", 2001, 1, 0.2), ("x", "a", 2003, 1, 0.5)])).empty


def test_missing_quality_counts_as_absent():
    rows = frame(
        [*ROWS, ("x", "e", 2001, 9, None), ("x", "e", 2002, 9, 0.1), ("x", "f", 2001, 0, 0.3)]
    )
    with_missing, without = decompose(rows), decompose(frame([*ROWS, ("x", "e", 2002, 9, 0.1)]))
    pd.testing.assert_frame_equal(with_missing, without, check_exact=True)


def test_a_product_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="a product stands twice in one of city, year"):
        decompose(frame([*ROWS, ROWS[0]]))
