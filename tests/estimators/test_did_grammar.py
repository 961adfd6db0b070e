"""Difference in differences: one grammar, one result, and nothing that is lost unseen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import (
    aggregate_effects,
    bacon_decomposition,
    callaway_santanna,
    difference_in_differences,
    event_study,
    honest_bounds,
    imputation,
    psm_did,
    sun_abraham,
    treated_by_period,
)
from analysis.estimators.core.result import TIDY

COLUMNS = ("y", "city", "year", "cohort")
BY_COHORT: dict[str, Callable] = {
    "difference_in_differences": lambda f, **o: difference_in_differences(
        f, "y", "city", "year", cohort="cohort", **o
    ),
    "event_study": lambda f, **o: event_study(f, *COLUMNS, **o),
    "callaway_santanna": lambda f, **o: callaway_santanna(f, *COLUMNS, **o),
    "sun_abraham": lambda f, **o: sun_abraham(f, *COLUMNS, **o),
    "imputation": lambda f, **o: imputation(f, *COLUMNS, **o),
    "bacon_decomposition": lambda f, **o: bacon_decomposition(f, *COLUMNS, **o),
}
BY_TREATMENT: dict[str, Callable] = {
    "difference_in_differences": lambda f, **o: difference_in_differences(
        f, "y", "city", "year", treatment="treated", **o
    ),
    "treated_by_period": lambda f, **o: treated_by_period(
        f, "y", "city", "year", "ever", base=2010, **o
    ),
    "psm_did": lambda f, **o: psm_did(f, "y", "treated", "city", "year", ["x"], **o),
}


def panel(cities: int = 80) -> pd.DataFrame:
    """Cities in 2010-2015, a quarter each never treated, from 2012, 2013 and 2014; effect 1."""
    draw = np.random.default_rng(21)
    city, year = np.repeat(np.arange(cities), 6), np.tile(np.arange(2010, 2016), cities)
    cohort = np.array([0, 2012, 2013, 2014])[city % 4]
    treated = (cohort > 0) & (year >= cohort)
    x = draw.normal(size=len(city))
    y = treated + 0.1 * city + 0.2 * (year - 2010) + draw.normal(size=len(city))
    frame = pd.DataFrame({"city": [f"{c:03d}" for c in city], "year": year, "cohort": cohort})
    frame = frame.assign(y=y, x=x, treated=treated.astype(int), ever=(cohort > 0).astype(int))
    return frame.assign(province=city % 10)


def kinds(result: object) -> list[str]:
    return [caution.kind for caution in result.warnings]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", BY_COHORT)
def test_rows_without_a_cohort_are_warned_of(name: str) -> None:
    frame = panel()
    empty = frame["cohort"] == 0
    coded = frame.assign(cohort=frame["cohort"].where(~empty | (frame["city"] > "010")))
    result = BY_COHORT[name](coded)
    assert result.dropped["cohort missing"] == 18
    caution = next(caution for caution in result.warnings if caution.kind == "lost_cohorts")
    assert "18 rows of 3 units (city) have no cohort and were left out" in caution.sentence
    assert "missing_cohort='never'" in caution.remedy and f"Warning: {caution}" in str(result)
    whole = BY_COHORT[name](coded, missing_cohort="never")
    assert "lost_cohorts" not in kinds(whole) and whole.n == len(frame)
    assert "lost_cohorts" not in kinds(BY_COHORT[name](frame))


@pytest.mark.parametrize("name", BY_COHORT)
def test_nobody_is_left_out_who_may_be_never_treated(name: str) -> None:
    frame = panel()
    coded = frame.assign(cohort=frame["cohort"].where(frame["cohort"] > 0))
    lost = coded["cohort"].isna()
    text = f"{lost.sum()} rows of {coded.loc[lost, 'city'].nunique()} units .city. have no cohort"
    with pytest.raises(ValueError, match=f"{text}, and nobody is written as never treated"):
        BY_COHORT[name](coded)
    whole = BY_COHORT[name](coded, missing_cohort="never")
    assert whole.n == len(frame) and "lost_cohorts" not in kinds(whole)


@pytest.mark.parametrize("name", BY_COHORT)
def test_a_cohort_of_one_city_is_warned_of(name: str) -> None:
    frame = panel()
    alone = frame["city"] == "001"
    result = BY_COHORT[name](frame.assign(cohort=frame["cohort"].mask(alone, 2015)))
    caution = next(caution for caution in result.warnings if caution.kind == "small_cohort")
    assert "fewer than 5 units: 2015 (1), of 80 units" in caution.sentence
    assert kinds(BY_COHORT[name](frame)) == []


def test_the_error_of_one_city_is_as_small_as_the_warning_says() -> None:
    """What the warning is for: one treated city, and a standard error far below the noise of 1."""
    frame = panel()
    alone = frame.assign(cohort=np.where(frame["city"] == "001", 2014, 0))
    result = imputation(alone, *COLUMNS)
    assert result.standard_errors["e=0"] < 0.3 and "small_cohort" in kinds(result)


def test_few_never_treated_controls_are_a_small_cohort() -> None:
    frame = panel()
    frame = frame[(frame["cohort"] > 0) | (frame["city"] < "005")]
    said = event_study(frame, *COLUMNS).warnings
    (caution,) = [caution for caution in said if caution.kind == "small_cohort"]
    assert "never treated (2)" in caution.sentence


@pytest.mark.parametrize("name", BY_TREATMENT)
def test_few_treated_units_are_warned_of(name: str) -> None:
    frame = panel()
    few = frame["city"].isin(["001", "002"])
    frame["x"] += few  # so that they can be told apart, and matched
    result = BY_TREATMENT[name](frame.assign(treated=frame["treated"] * few, ever=few.astype(int)))
    assert "2 units are treated" in str(result) and "small_cohort" in kinds(result)
    assert "small_cohort" not in kinds(BY_TREATMENT[name](panel()))


@pytest.mark.parametrize("name", [*list(BY_COHORT)[:-1], "psm_did", "treated_by_period"])
def test_few_clusters_are_warned_of(name: str) -> None:
    run = (BY_COHORT | BY_TREATMENT)[name]
    result = run(panel(), covariance={"cluster": ["province"]})
    assert "few_clusters" in kinds(result) and "10 clusters are few" in str(result)
    assert "clustered by province" in result.convention
    assert (result.standard_errors.dropna() != run(panel()).standard_errors.dropna()).all()


@pytest.mark.parametrize("name", [*BY_COHORT, "treated_by_period", "psm_did"])
def test_an_outcome_without_variation_inside_is_refused(name: str) -> None:
    frame = panel()
    flat = frame.assign(y=frame["city"].astype(float) + 0.3 * frame["year"])
    with pytest.raises(
        ValueError, match="y does not vary once the city and year effects are taken"
    ):
        (BY_COHORT | BY_TREATMENT)[name](flat)


def test_a_cross_section_whose_outcome_is_the_period_is_refused() -> None:
    frame = panel().assign(y=lambda f: 0.3 * f["year"])
    with pytest.raises(ValueError, match="y does not vary once the year effects are taken out"):
        callaway_santanna(frame, *COLUMNS, sampling="cross_sections")


def test_effects_that_cannot_be_estimated_are_warned_of() -> None:
    frame = panel()
    gone = frame[~((frame["cohort"] == 2013) & (frame["year"] == 2014))]
    result = callaway_santanna(gone, *COLUMNS, sampling="unbalanced_panel")
    (caution,) = result.warnings
    assert caution.kind == "not_estimated" and "no treated rows in 2014" in caution.sentence
    averaged = aggregate_effects(result, "dynamic", skip_missing=True)
    assert averaged.warnings == result.warnings


def test_unmatched_treated_rows_are_warned_of() -> None:
    result = psm_did(panel(), "y", "treated", "city", "year", ["x"], options={"caliper": 1e-4})
    assert "unmatched" in kinds(result) and "of the treated group have no match" in str(result)


@pytest.mark.parametrize("name", [*BY_COHORT, *list(BY_TREATMENT)])
def test_rows_outside_where_do_not_matter(name: str) -> None:
    run = BY_COHORT.get(name) or BY_TREATMENT[name]
    frame = panel()
    asked = frame["city"] < "070"
    spoiled = pd.concat([frame[asked], frame[~asked].assign(y=np.inf)] * 1 + [frame[~asked]])
    spoiled = spoiled.assign(here=spoiled["city"] < "070").set_axis(range(len(spoiled)))
    here, alone = run(spoiled, where="here"), run(frame[asked])
    pd.testing.assert_frame_equal(here.tidy(), alone.tidy(), check_exact=True)
    assert here.dropped["outside where"] == 2 * (~asked).sum()
    assert "(outside where)" in here.note()


def test_a_treated_city_without_covariates_while_treated_is_no_control() -> None:
    frame = panel()
    gap = (frame["city"] < "012") & (frame["treated"] == 1)
    result = psm_did(frame.assign(x=frame["x"].mask(gap)), "y", "treated", "city", "year", ["x"])
    matching = result.matchings["pooled"]
    assert result.dropped["x missing"] == gap.sum()
    assert matching.treated.sum() == (frame["ever"] == 1).sum() - gap.sum()
    assert len(matching.treated) - matching.treated.sum() == (frame["ever"] == 0).sum()


@pytest.mark.parametrize("name", list(BY_COHORT)[:-1])
def test_rows_of_weight_zero_are_counted_and_do_not_matter(name: str) -> None:
    frame = panel().assign(w=lambda f: 1.0 * (f["city"] >= "008"))
    some, without = (BY_COHORT[name](f, weights="w") for f in (frame, frame[frame["w"] > 0]))
    assert some.dropped == {"w zero": 8 * 6} and some.n == without.n == len(some.sample)
    pd.testing.assert_frame_equal(some.tidy(), without.tidy())


def test_who_is_ever_treated_is_looked_up_in_all_rows() -> None:
    frame = panel()
    early = frame["year"] <= 2013
    result = psm_did(frame, "y", "treated", "city", "year", ["x"], where=early)
    treated = result.matchings["pooled"].treated
    assert treated.sum() == 60 * 4 and len(treated) == early.sum()


@pytest.mark.parametrize(
    ("run", "by", "terms"),
    [
        (BY_COHORT["event_study"], "event time", ["-4", "-3", "-2", "0", "1", "2", "3"]),
        (BY_COHORT["imputation"], "event time", ["0", "1", "2", "3"]),
        (
            lambda f: event_study(f, *COLUMNS, ["x"], first=-2, last=1),
            "event time",
            ["<=-2", "0", ">=1"],
        ),
        (BY_TREATMENT["treated_by_period"], "period", ["2011", "2012", "2013", "2014", "2015"]),
        (
            lambda f: aggregate_effects(callaway_santanna(f, *COLUMNS), "group"),
            "cohort",
            ["2012", "2013", "2014"],
        ),
        (
            lambda f: imputation(f, *COLUMNS, kind="calendar"),
            "period",
            ["2012", "2013", "2014", "2015"],
        ),
    ],
)
def test_times_are_terms_of_their_own_equation(run: Callable, by: str, terms: list[str]) -> None:
    result = run(panel())
    table = result.tidy()
    assert list(table["term"][table["equation"] == by]) == terms
    np.testing.assert_array_equal(table["estimate"], result.coefficients)


def test_a_decomposition_is_a_table_of_its_kinds() -> None:
    result = bacon_decomposition(panel(), *COLUMNS)
    table, row = result.tidy(), result.glance().iloc[0]
    assert tuple(table.columns) == TIDY and list(table["term"]) == list(result.kinds.index)
    assert table["std_error"].isna().all()
    weights = row.filter(like="weight_")
    assert weights.sum() == pytest.approx(1) and row["n_city"] == 80
    assert (weights.to_numpy() * table["estimate"]).sum() == pytest.approx(row["estimate"])
    assert "weight of treated vs never treated: 0." in str(result)


def test_bounds_are_a_table_of_values_at_any_level() -> None:
    study = event_study(panel(), *COLUMNS)
    result = honest_bounds(study, "smoothness", [0.0, 0.1], target={"0": 1})  # type: ignore[dict-item]
    table = result.tidy()
    assert list(table["term"]) == ["parallel trends", "0", "0.1"]
    np.testing.assert_array_equal(table["conf_low"], result.intervals["lower"])
    assert table["estimate"].iloc[0] == study.coefficients["e=0"]
    wide, asked = result.tidy(0.99), honest_bounds(study, "smoothness", [0.0, 0.1], level=0.99)
    np.testing.assert_allclose(wide["conf_high"], asked.intervals["upper"], rtol=1e-12)
    assert result.glance()["breakdown"].item() == result.breakdown
    assert result.note().endswith(".") and "smoothness" in str(result.glance())


def test_covariance_is_said_in_one_way() -> None:
    frame = panel()
    iid = event_study(frame, *COLUMNS, covariance="iid")
    assert "homoskedastic" in iid.convention
    both = {"cluster": ["province", "year"]}
    two = difference_in_differences(
        frame, "y", "city", "year", treatment="treated", covariance=both
    )
    assert "province" in two.convention and "year" in two.convention
    for run in (callaway_santanna, imputation):
        with pytest.raises(ValueError, match="this estimator has cluster errors only"):
            run(frame, *COLUMNS, covariance="robust")
    with pytest.raises(ValueError, match="clustered by one column"):
        event_study(frame, *COLUMNS, covariance=both)
    with pytest.raises(ValueError, match="controls is a list of column names"):
        sun_abraham(frame, *COLUMNS, "x")
