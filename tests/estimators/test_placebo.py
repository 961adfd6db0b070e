"""Placebo: every draw equal to estimating it alone, draws that are what they say, and input that
could mislead.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.linear.fixed_effects import fixed_effects
from analysis.estimators.placebo.cells import CellDraws
from analysis.estimators.placebo.draws import Cells, adoption, allowed_dates, cells_of
from analysis.estimators.placebo.engine import RowDraws
from analysis.estimators.placebo.model import PlaceboResult, placebo

module = importlib.import_module(
    "analysis.estimators.placebo.model"
)  # the package gives the function of that name
CITIES = 20
YEARS = range(2010, 2018)


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    """Firms by year: some move between cities, cities adopt at different dates or never, errors
    share a city's shocks.
    """
    draw = np.random.default_rng(7)
    n, n_firms = 1500, 220
    frame = pd.DataFrame(
        {"firm": draw.integers(0, n_firms, n), "year": draw.integers(YEARS[0], YEARS[-1] + 1, n)}
    )
    home = draw.integers(0, CITIES, n_firms)
    frame["city_code"] = np.where(
        draw.random(n) < 0.9, home[frame["firm"]], draw.integers(0, CITIES, n)
    )
    frame["province"], frame["sector"] = frame["city_code"] % 5, draw.integers(0, 9, n)
    frame["weight"] = draw.uniform(0.1, 2, n)
    start = np.where(draw.random(CITIES) < 0.5, draw.integers(2011, 2018, CITIES), 9999)
    frame["zone"] = (frame["year"] >= start[frame["city_code"]]).astype(int)
    frame["x"], frame["z"] = draw.normal(size=n) + 0.2 * frame["zone"], draw.normal(size=n)
    shocks = draw.normal(size=(CITIES, len(YEARS)))
    frame["y"] = (
        0.3 * frame["zone"]
        + 0.5 * frame["x"]
        + draw.normal(size=n_firms)[frame["firm"]]
        + 0.3 * shocks[frame["city_code"], frame["year"] - 2010]
    )
    frame["y"] += draw.normal(size=n)
    return frame


@pytest.fixture
def panel(firms: pd.DataFrame) -> pd.DataFrame:
    return firms.groupby(["city_code", "year"], as_index=False)[["y", "x", "zone"]].mean()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What each draw handed to the engine, by row in the order of the estimator's own sample."""
    seen: list[np.ndarray] = []
    original = module._drawn

    def watched(truth: np.ndarray, cells: Cells | None, *rest: object) -> Iterator[np.ndarray]:
        for draw in original(truth, cells, *rest):  # type: ignore[arg-type]
            seen.append(draw if cells is None else draw[cells.codes])
            yield draw

    monkeypatch.setattr(module, "_drawn", watched)
    return seen


def errors_of(cluster: object) -> object:
    return {"cluster": [cluster] if isinstance(cluster, str) else cluster} if cluster else "iid"


def each_alone(
    frame: pd.DataFrame,
    treatments: list[np.ndarray],
    effects: list[str],
    cluster: object,
    controls: list[str],
    weights: str | None,
) -> np.ndarray:
    """Coefficient and standard error of each draw, estimated by itself; the frame is in the
    estimator's order.
    """
    fits = [
        fixed_effects(
            frame.assign(zone=values),
            "y",
            ["zone", *controls],
            effects,
            covariance=errors_of(cluster),
            weights=weights,
            keys=[],
        )  # type: ignore[arg-type]
        for values in treatments
    ]
    return np.array(
        [
            (
                fit.coefficients["zone"],
                fit.standard_errors["zone"] if fit.mended != "slopes" else np.nan,
            )
            for fit in fits
        ]
    )


def in_estimators_order(
    frame: pd.DataFrame,
    effects: list[str],
    cluster: object,
    controls: list[str],
    by_cell: bool,
    weights: str | None,
) -> pd.DataFrame:
    others = [
        *([cluster] if isinstance(cluster, str) else cluster or []),
        *(["city_code", "year"] if by_cell else []),
    ]  # type: ignore[misc]
    sample = module.read_sample(
        frame, ["y", "zone", *controls], effects, others, weights=weights, keys=[]
    )
    ordered = pd.DataFrame({name: codes for name, (codes, _) in sample.groups.items()})
    for at, name in enumerate(["y", "zone", *controls]):
        ordered[name] = sample.columns[:, at]
    return ordered.assign(weight=1.0 if sample.weights is None else sample.weights)


CASES = [
    (["city_code", "year"], "city_code", True),
    (["city_code", "year"], None, True),
    (["firm", "city_code", "year"], "city_code", True),
    (["firm", "year"], "province", True),
    (["firm", "city_code", "year"], ["city_code", "year"], True),
    (["sector", "province", "year"], "sector", True),
    (["firm", "year"], None, True),
    (["firm", "sector", "year"], "city_code", False),
]


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize(
    ("level", "dates"), [("unit", "kept"), ("unit", "drawn"), ("cell", "kept"), ("row", "kept")]
)
@pytest.mark.parametrize(("effects", "cluster", "collapsible"), CASES)
def test_every_draw_equals_estimating_it_alone(
    firms: pd.DataFrame,
    drawn: list[np.ndarray],
    effects: list[str],
    cluster: object,
    collapsible: bool,
    level: str,
    dates: str,
    weights: str | None,
) -> None:
    controls = ["x", "z"] if cluster != "province" else []
    result = placebo(
        firms,
        "y",
        "zone",
        controls,
        effects,
        covariance=errors_of(cluster),
        draw_by=level,
        dates=dates,
        draws=3,
        weights=weights,
        keys=[],
    )  # type: ignore[arg-type]
    assert result.collapsed == (collapsible and level != "row")
    ordered = in_estimators_order(firms, effects, cluster, controls, level != "row", weights)
    expected = each_alone(
        ordered,
        [ordered["zone"].to_numpy(), *drawn],
        effects,
        cluster,
        controls,
        "weight" if weights else None,
    )
    ours = np.vstack(
        [
            [result.coefficients["zone"], result.standard_errors["zone"]],
            result.draws[["coefficient", "standard_error"]],
        ]
    )
    np.testing.assert_allclose(ours[:, 0], expected[:, 0], rtol=1e-9)
    comparable = ~np.isnan(
        expected[:, 1]
    )  # a mended two-way covariance has no counterpart for one coefficient
    np.testing.assert_allclose(ours[comparable, 1], expected[comparable, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"covariance": "robust"}, {"covariance": "robust"}),
        (
            {"small": "fixest_full", "covariance": {"cluster": "city_code"}},
            {"small": "fixest_full", "covariance": {"cluster": ["city_code"]}},
        ),
        (
            {"small": "linearmodels", "covariance": {"cluster": "year"}},
            {"small": "linearmodels", "covariance": {"cluster": ["year"]}},
        ),
    ],
)
def test_the_estimate_is_that_of_fixed_effects(
    firms: pd.DataFrame, options: dict, same: dict
) -> None:
    result = placebo(
        firms, "y", "zone", ["x"], ["firm", "city_code", "year"], draw_by="cell", draws=2, **options
    )
    fit = fixed_effects(firms, "y", ["zone", "x"], ["firm", "city_code", "year"], **same)
    found, expected = (
        each.tidy().set_index("term").loc["zone"].drop("equation").astype(float)
        for each in (result, fit)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert result.df_t == fit.df_t
    assert result.n == fit.n


def test_draws_by_row_equal_draws_collapsed(
    firms: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "effects": ["firm", "city_code", "year"],
        "covariance": {"cluster": ["city_code"]},
        "draws": 40,
        "keys": [],
    }
    collapsed = placebo(firms, "y", "zone", ["x"], **options)  # type: ignore[arg-type]
    monkeypatch.setattr(module, "collapses", lambda *_: False)
    by_row = placebo(firms, "y", "zone", ["x"], **options)  # type: ignore[arg-type]
    assert (collapsed.collapsed, by_row.collapsed) == (True, False)
    pd.testing.assert_frame_equal(collapsed.draws, by_row.draws, rtol=1e-9)


def test_paths_move_whole_and_dates_stay(panel: pd.DataFrame, drawn: list[np.ndarray]) -> None:
    placebo(panel, "y", "zone", covariance={"cluster": ["city_code"]}, draws=50)
    ordered = in_estimators_order(panel, ["city_code", "year"], "city_code", [], True, None)

    def starts(values: np.ndarray) -> list[int]:
        by_city = (
            ordered.assign(zone=values)
            .pivot(index="city_code", columns="year", values="zone")
            .fillna(9)
        )
        return sorted(int(on.sum()) for on in (by_city == 1).to_numpy())

    paths = ordered.pivot(index="city_code", columns="year", values="zone")
    assert not paths.isna().any().any(), "a balanced panel is needed for this check"
    assert all(starts(values) == starts(ordered["zone"].to_numpy()) for values in drawn)
    assert len({tuple(values) for values in drawn}) > 45


def test_dates_drawn_among_those_allowed(panel: pd.DataFrame, drawn: list[np.ndarray]) -> None:
    placebo(
        panel,
        "y",
        "zone",
        covariance={"cluster": ["city_code"]},
        draws=200,
        dates="drawn",
        date_choices=[2013, 2014],
    )
    ordered = in_estimators_order(panel, ["city_code", "year"], "city_code", [], True, None)
    treated = int(panel.groupby("city_code")["zone"].max().sum())
    seen = []
    for values in drawn:
        first = ordered[values == 1].groupby("city_code")["year"].min()
        assert len(first) == treated
        seen += list(first)
    assert {year + 2010 for year in seen} == {2013, 2014}
    assert abs(np.mean(np.array(seen) == 3) - 0.5) < 0.05
    all_dates = placebo(panel, "y", "zone", draws=1, dates="drawn")
    assert all_dates.dates == "drawn"
    assert allowed_dates([2010, 2011, 2012], None, "year") == [1, 2]
    with pytest.raises(
        ValueError, match=r"must be periods of the sample \(year 2010 to 2017\); given: \[2030\]"
    ):
        placebo(panel, "y", "zone", draws=1, dates="drawn", date_choices=[2030])


def test_rows_shuffled_keep_their_values(firms: pd.DataFrame, drawn: list[np.ndarray]) -> None:
    placebo(firms, "y", "zone", draws=30, draw_by="row", keys=[])
    assert {int(values.sum()) for values in drawn} == {int(firms["zone"].sum())}
    share = np.mean(drawn, axis=0)
    assert (
        abs(share.std() - np.sqrt(share.mean() * (1 - share.mean()) / 30)) < 0.01
    )  # every row as likely as any other
    drawn.clear()
    placebo(firms, "y", "x", draws=2, draw_by="row", keys=[])
    assert all(np.array_equal(np.sort(values), np.sort(firms["x"])) for values in drawn)
    drawn.clear()
    placebo(
        firms.assign(zone=1 - (firms.index % 5 == 0)), "y", "zone", draws=2, draw_by="row", keys=[]
    )
    assert {int(values.sum()) for values in drawn} == {1200}  # more ones than zeros


def test_a_path_with_gaps_is_prolonged_by_its_date(
    panel: pd.DataFrame, drawn: list[np.ndarray]
) -> None:
    gaps = panel.drop(index=panel.index[[3, 40, 41, 77]])
    placebo(gaps, "y", "zone", draws=20)
    ordered = in_estimators_order(gaps, ["city_code", "year"], None, [], True, None)
    for values in drawn:
        by_city = ordered.assign(zone=values).sort_values("year").groupby("city_code")["zone"]
        assert by_city.apply(lambda path: path.is_monotonic_increasing).all()
    reversal = gaps.assign(zone=gaps["zone"].where(gaps["year"] != 2016, 0))
    with pytest.raises(
        ValueError, match="the panel has gaps, and zone is not a dummy that starts once and stays"
    ):
        placebo(reversal, "y", "zone", draws=1)
    with pytest.raises(ValueError, match="dates can be drawn only for a dummy"):
        placebo(reversal, "y", "zone", draws=1, dates="drawn")
    assert placebo(reversal, "y", "zone", draws=1, draw_by="cell").draw_by == "cell"


def test_adoption_and_cells_by_hand() -> None:
    unit, period = (np.array([0, 0, 0, 1, 1, 1, 2, 2]), 3), (np.array([0, 1, 1, 0, 1, 2, 0, 2]), 3)
    cells = cells_of(np.array([0.0, 1, 1, 0, 0, 0, 1, 1]), unit, period, ("zone", "city", "year"))
    assert cells.codes.tolist() == [0, 1, 1, 2, 3, 4, 5, 6]
    starts = adoption(cells)
    assert starts is not None
    assert starts.tolist() == [1, 3, 0]
    with pytest.raises(ValueError, match="zone differs between rows of one city and year"):
        cells_of(np.array([0.0, 1, 0, 0, 0, 0, 1, 1]), unit, period, ("zone", "city", "year"))


def test_shares_and_p_values_from_the_draws(panel: pd.DataFrame) -> None:
    result = placebo(panel, "y", "zone", ["x"], covariance={"cluster": ["city_code"]}, draws=99)
    far = (result.draws["coefficient"].abs() >= abs(result.coefficients["zone"])).sum()
    assert result.beyond == far / 99
    assert result.p_empirical == (1 + far) / 100 == result.tests["placebo"].p
    assert result.beyond_t == (result.draws["t"].abs() >= abs(result.t_statistics["zone"])).mean()
    assert result.rejected == (result.draws["p"] < 0.05).mean()
    assert (
        "placebo of zone with treated city_code drawn at random, dates as they were, 99 draws (seed"
        " 20200101)" in result.note()
    )
    grid = result.density(401)
    step = grid["coefficient"].iloc[1] - grid["coefficient"].iloc[0]
    assert grid["density"].sum() * step == pytest.approx(1, abs=0.02)
    assert grid["coefficient"].min() < result.draws["coefficient"].min()
    assert grid["coefficient"].max() > max(
        result.draws["coefficient"].max(), result.coefficients["zone"]
    )
    assert list(result.draws.index[:2]) == [1, 2]


def test_the_true_assignment_ties_with_itself() -> None:
    """Two cities, one treated: half of the draws are the truth, the other half its mirror, as far
    from zero.
    """
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"city_code": np.repeat([1, 2], 6), "year": np.tile(range(6), 2)})
    frame["zone"], frame["y"] = (
        ((frame["city_code"] == 1) & (frame["year"] > 2)).astype(int),
        draw.normal(size=12),
    )
    result = placebo(frame, "y", "zone", draws=60)
    assert result.beyond == 1
    assert result.p_empirical == 1
    assert 0 < (result.draws["coefficient"] > 0).mean() < 1


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


def test_size_is_right_where_nothing_happens() -> None:
    """No effect, shocks by city: clustered t of draws by city reject about as often as they say,
    the empirical p is not small.
    """
    draw = np.random.default_rng(12)
    cities, years = 80, 10
    frame = pd.DataFrame(
        {"city_code": np.repeat(range(cities), years), "year": np.tile(range(years), cities)}
    )
    frame["zone"] = (
        (frame["city_code"] < 40) & (frame["year"] >= 3 + frame["city_code"] % 4)
    ).astype(int)
    frame["y"] = (
        draw.normal(size=(cities, years)).cumsum(axis=1) + draw.normal(size=(cities, 1))
    ).ravel()
    result = placebo(frame, "y", "zone", covariance={"cluster": ["city_code"]}, draws=1000)
    assert 0.02 < result.rejected < 0.10
    assert abs(result.draws["coefficient"].mean()) < 3 * result.draws[
        "coefficient"
    ].std() / np.sqrt(1000)
    # errors that ignore the cities' own paths reject far too often
    assert placebo(frame, "y", "zone", draws=1000).rejected > 0.25
    found = placebo(
        frame.assign(y=frame["y"] + 5 * frame["zone"]),
        "y",
        "zone",
        covariance={"cluster": ["city_code"]},
        draws=1000,
    )
    assert found.p_empirical == 1 / 1001


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


def test_the_row_of_a_placebo_has_its_shares(panel: pd.DataFrame) -> None:
    result = placebo(panel, "y", "zone", draws=19)
    row = result.glance().iloc[0]
    assert (row["draws"], row["p_empirical"], row["placebo_p_value"]) == (
        19,
        result.p_empirical,
        result.p_empirical,
    )
    assert list(result.tidy()["term"]) == ["zone"]
