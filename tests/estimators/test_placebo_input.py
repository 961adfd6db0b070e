"""Placebo: input that could mislead (order, types, seeds, processes, rows left out), what has no
coefficient or is refused, and what is warned of.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.placebo.cells import CellDraws
from analysis.estimators.placebo.engine import RowDraws
from analysis.estimators.placebo.model import PlaceboResult, placebo


def test_draws_that_the_effects_absorb_have_no_coefficient() -> None:
    """Nine rows in a city of their own each, four in a tenth: a lone treated row outside the tenth
    explains nothing.
    """
    frame = pd.DataFrame(
        {"city_code": [*range(9), 9, 9, 9, 9], "zone": [0] * 12 + [1], "y": np.arange(13.0) ** 2}
    )
    result = placebo(frame, "y", "zone", effects=["city_code"], draw_by="row", draws=200)
    assert abs(result.undefined - 200 * 9 / 13) < 30
    assert result.draws["coefficient"].notna().sum() == 200 - result.undefined
    assert f"{result.undefined} of them without a coefficient" in result.note()
    outside = next(
        seed
        for seed in range(99)
        if np.random.Generator(np.random.PCG64(seed)).choice(13, 1, replace=False, shuffle=False)[0]
        < 9
    )
    with pytest.raises(ValueError, match="the effects absorb every draw"):
        placebo(frame, "y", "zone", effects=["city_code"], draw_by="row", draws=1, seed=outside)


def same(one: PlaceboResult, other: PlaceboResult) -> None:
    pd.testing.assert_frame_equal(one.draws, other.draws, check_exact=True)
    pd.testing.assert_frame_equal(one.covariance, other.covariance, check_exact=True)


@pytest.mark.parametrize("level", ["unit", "cell", "row"])
def test_order_columns_labels_and_types_change_nothing(firms: pd.DataFrame, level: str) -> None:
    options = {
        "effects": ["firm", "city_code", "year"],
        "covariance": {"cluster": ["city_code"]},
        "draws": 5,
        "draw_by": level,
        "keys": [],
    }
    plain = placebo(firms, "y", "zone", ["x"], **options)  # type: ignore[arg-type]
    other = (
        firms.sample(frac=1, random_state=2)
        .set_index("sector")
        .assign(note="text", zone=lambda f: f["zone"].astype("boolean"))
    )
    other["city_code"] = (other["city_code"] + 100).astype(str).astype("category")
    before = other.copy(deep=True)
    same(placebo(other, "y", "zone", ["x"], **options), plain)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(other, before)
    narrow = firms.astype({"x": "float32", "y": "float32"})
    same(
        placebo(narrow, "y", "zone", ["x"], **options),
        placebo(narrow.astype({"x": "float64", "y": "float64"}), "y", "zone", ["x"], **options),
    )  # type: ignore[arg-type]


def test_seeds_and_batches(firms: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {
        "effects": ["firm", "year"],
        "covariance": {"cluster": ["city_code"]},
        "draws": 12,
        "keys": [],
    }
    for level, engine in (("row", RowDraws), ("unit", CellDraws)):
        plain = placebo(firms, "y", "zone", draw_by=level, **options)  # type: ignore[arg-type]
        other = placebo(firms, "y", "zone", draw_by=level, seed=1, **options)  # type: ignore[arg-type]
        assert not np.allclose(plain.draws["coefficient"], other.draws["coefficient"])
        more = placebo(firms, "y", "zone", draw_by=level, **(options | {"draws": 20}))  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(more.draws.head(12), plain.draws, rtol=1e-12)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "at_once", property(lambda _: 5))
            pd.testing.assert_frame_equal(
                placebo(firms, "y", "zone", draw_by=level, **options).draws, plain.draws, rtol=1e-12
            )  # type: ignore[arg-type]


def test_the_same_number_in_every_process() -> None:
    program = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators.placebo.model import placebo\nr"
        " = np.random.default_rng(0)\nf = pd.DataFrame({'city_code': np.repeat([f'c{i}' for i in"
        " range(12)], 6), 'year': np.tile(range(6), 12)})\nf['zone'] = ((f['city_code'] > 'c4') &"
        " (f['year'] > 2)).astype(int)\nf['y'] = r.normal(size=72)\nprint([v.hex() for v in"
        " placebo(f, 'y', 'zone', covariance={'cluster': ['city_code']}, draws=4).draws['t']])\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "5")
    }
    assert len(seen) == 1


def test_rows_left_out_are_counted(panel: pd.DataFrame) -> None:
    spoiled = panel.assign(
        y=panel["y"].where(panel.index != 5), x=panel["x"].where(panel.index != 9, np.inf)
    )
    result = placebo(spoiled, "y", "zone", ["x"], draws=2)
    assert result.dropped == {"y missing": 1, "x infinite": 1}
    assert result.n == len(panel) - 2
    assert "1 row (x infinite)" in result.note()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("y", "zone", ["zone"]), {}, "treatment 'zone' is the outcome or among the controls"),
        (
            ("y", "zone"),
            {"draw_by": "city"},
            "draw_by = 'city' is not known. There are unit, cell, row",
        ),
        (("y", "zone"), {"draws": 0}, "at least one is needed"),
        (("y", "zone"), {"dates": "moved"}, "dates = 'moved' is not known"),
        (
            ("y", "zone"),
            {"covariance": {"cluster": ["city_code", "year", "x"]}},
            "by one column or two",
        ),
        (("y", "zone"), {"small": "R"}, "small = 'R' is not known"),
        (("y", "zone"), {"unit": "town"}, "column 'town' is not in the frame"),
        (("y", "flat"), {}, "flat does not vary once the city_code and year effects are taken out"),
        (("y", "zone", ["double"]), {}, "is a combination of"),
        (("y", "x"), {"unit": "half"}, "x differs between rows of one half and year"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    panel: pd.DataFrame, arguments: tuple, options: dict, message: str
) -> None:
    frame = panel.assign(flat=1.0, double=panel["zone"] * 2.0, half=panel["city_code"] % 2)
    with pytest.raises(ValueError, match=message):
        placebo(frame, *arguments, **({"draws": 2} | options))
    with pytest.raises(ValueError, match="with the city_code and year of an earlier row"):
        placebo(pd.concat([panel, panel.head(1)]), "y", "zone", draws=1)


def test_only_the_rows_asked_for_are_drawn_from(panel: pd.DataFrame) -> None:
    options = {"draws": 12, "draw_by": "unit", "dates": "drawn"}
    asked = panel["year"] < panel["year"].max()
    spoiled = panel.assign(y=panel["y"].where(asked, np.inf), here=asked)
    here, alone = (
        placebo(spoiled, "y", "zone", where="here", **options),
        placebo(panel[asked], "y", "zone", **options),
    )  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(here.draws, alone.draws, check_exact=True)
    assert here.dropped == {"outside where": int((~asked).sum())} and here.sample.equals(
        alone.sample
    )


def test_few_clusters_and_few_treated_are_warned_of(panel: pd.DataFrame) -> None:
    quiet = placebo(panel, "y", "zone", draws=5)
    assert quiet.warnings == ()
    half = panel.assign(half=panel["city_code"].astype(int) % 7)
    few = placebo(half, "y", "zone", covariance={"cluster": ["half"]}, draws=5)
    assert [caution.kind for caution in few.warnings] == [
        "few_clusters"
    ] and "7 clusters are few" in str(few)
    first = panel.loc[panel["zone"] == 1, "city_code"].iloc[0]
    one = placebo(
        panel.assign(zone=panel["zone"] * (panel["city_code"] == first)), "y", "zone", draws=5
    )
    assert one.warnings[0].kind == "small_cohort" and "1 of " in one.warnings[0].sentence


def test_an_estimate_with_a_negative_variance_has_no_t_to_compare() -> None:
    draw = np.random.default_rng(11)
    city, year = np.repeat(np.arange(8), 5), np.tile(np.arange(5), 8)
    frame = pd.DataFrame({"city_code": city, "year": year, "y": draw.normal(size=40)})
    frame["zone"] = ((city < 4) & (year >= 2)).astype(int)
    result = placebo(frame, "y", "zone", covariance={"cluster": ["city_code", "year"]}, draws=20)
    assert result.covariance.loc["zone", "zone"] < 0 and result.draws["t"].notna().any()
    assert np.isnan(result.beyond_t) and 0 <= result.beyond <= 1
    assert result.warnings[0].kind == "not_semidefinite"
    assert "zone has no standard error" in str(result)
    plain = placebo(frame, "y", "zone", covariance={"cluster": ["city_code"]}, draws=20)
    assert plain.beyond_t >= 0
    assert "not_semidefinite" not in [caution.kind for caution in plain.warnings]


def test_draws_without_a_coefficient_are_warned_of(panel: pd.DataFrame) -> None:
    first = panel["year"] == panel["year"].min()
    frame = panel.assign(
        zone=(panel["city_code"] == panel["city_code"].iloc[0]).astype(float) * ~first
    )
    lone = pd.DataFrame(
        {
            "city_code": [frame["city_code"].max() + 1],
            "year": [frame["year"].max()],
            "y": [0.3],
            "zone": [0.0],
        }
    )
    result = placebo(pd.concat([frame, lone]), "y", "zone", draws=300)
    assert result.undefined > 0
    assert f"{result.undefined} of 300 draws have no coefficient" in str(result)
