"""Placebo: every draw equal to estimating it alone, draws that are what they say, and the shares
they give.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.linear.fixed_effects import fixed_effects
from analysis.estimators.placebo.asked import Drawing
from analysis.estimators.placebo.draws import Cells, adoption, allowed_dates, cells_of
from analysis.estimators.placebo.model import placebo

module = importlib.import_module(
    "analysis.estimators.placebo.model"
)  # the package gives the function of that name


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What each draw handed to the engine, by row in the order of the estimator's own sample."""
    seen: list[np.ndarray] = []
    original = Drawing.drawn

    def watched(
        self: Drawing, truth: np.ndarray, cells: Cells | None, dated: list[int]
    ) -> Iterator[np.ndarray]:
        for draw in original(self, truth, cells, dated):
            seen.append(draw if cells is None else draw[cells.codes])
            yield draw

    monkeypatch.setattr(Drawing, "drawn", watched)
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
    with pytest.raises(ValueError, match="dates can be drawn only for a dummy"):
        placebo(reversal, "y", "zone", draws=1, dates="drawn")
    assert placebo(reversal, "y", "zone", draws=1, draw_by="cell").draw_by == "cell"


def test_a_path_of_any_other_kind_goes_to_a_unit_that_is_seen_alike(
    panel: pd.DataFrame, drawn: list[np.ndarray]
) -> None:
    """A whole path, unbroken, of one that is seen in the same years; who has none like him is told
    of, and nothing is drawn where nobody has.
    """
    panel = panel.assign(zone=np.random.default_rng(7).normal(size=len(panel)))
    gaps = panel.drop(index=panel.index[[3, 40, 41, 77]])
    result = placebo(gaps, "y", "zone", draws=20)
    ordered = in_estimators_order(gaps, ["city_code", "year"], None, [], True, None)
    own = ordered.groupby("city_code")[["year", "zone"]].agg(tuple)
    alike = own.groupby("year")["zone"].agg(set)
    moved = 0
    for values in drawn:
        given = ordered.assign(zone=values).groupby("city_code")[["year", "zone"]].agg(tuple)
        both = zip(given["year"], given["zone"], strict=True)
        assert all(path in alike[years] for years, path in both)
        assert sorted(given["zone"]) == sorted(own["zone"])
        moved += (given["zone"] != own["zone"]).sum()
    alone = (own.groupby("year").size() == 1).sum()
    assert moved > 10 * len(own)
    [said] = [one for one in result.warnings if one.kind == "kept_paths"]
    assert said.sentence.startswith(f"{alone} of {len(own)} city_code keep their path")
    years = sorted(panel["year"].unique())
    kept = [set(years) - {year} for year in years]
    cities = sorted(panel["city_code"].unique())[: len(years)]
    seen = dict(zip(cities, kept, strict=True))
    each = panel[[row.year in seen.get(row.city_code, ()) for row in panel.itertuples()]]
    with pytest.raises(ValueError, match="no two are seen in the same years"):
        placebo(each, "y", "zone", draws=1, draw_by="unit")


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


def test_the_row_of_a_placebo_has_its_shares(panel: pd.DataFrame) -> None:
    result = placebo(panel, "y", "zone", draws=19)
    row = result.glance().iloc[0]
    assert (row["draws"], row["p_empirical"], row["placebo_p_value"]) == (
        19,
        result.p_empirical,
        result.p_empirical,
    )
    assert list(result.tidy()["term"]) == ["zone"]
