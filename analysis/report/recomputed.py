"""A column of each estimator recomputed by another program, and the table of differences.

python -m analysis.report.recomputed [SLUG ...] [--config FILE]

statsmodels: OLS with dummies for effects, probit and logit. linearmodels: IV2SLS on columns whose
effects statsmodels has taken out, PanelOLS, IV3SLS with spatial lags made here by a matrix, IVGMM
on a dynamic panel stacked anew (`recomputers`); staggered effects a cell at a time or imputed
(`recomputed_effects`). What none of them has (generalised spatial systems, the sums of Sun and
Abraham and of event studies, permutation) is compared with gretl's, R's and Stata's printed numbers
in tests/estimators, and is named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.papers import PaperError, Release, load_paper, paper_names
from analysis.papers.declared import Estimation, Paper
from analysis.papers.estimate import run, sample
from analysis.report.origin import origin_line
from analysis.report.recomputed_effects import (
    bootstrap_slopes,
    callaway_slopes,
    imputation_slopes,
    mediation_slopes,
)
from analysis.report.recomputers import dynamic_slopes, heckman_slopes, psm_did_slopes
from warehouse.errors import CitytradeError

LARGEST = 20_000  # rows; dummies of more are too many for OLS
Slopes = Mapping[str, float]


@dataclass(frozen=True)
class Difference:
    """One term by both programs."""

    paper: str
    table: str
    column: str
    estimator: str
    program: str
    term: str
    ours: float
    theirs: float

    @property
    def relative(self) -> float:
        return abs(self.ours - self.theirs) / max(abs(self.theirs), 1e-12)


def differences(paper: Paper, release: Release) -> Iterator[Difference]:
    """The first column of each estimator that another program has too, term by term."""
    seen: set[str] = set()
    for table in paper.tables.values():
        for name, column in table.columns.items():
            asked = column.estimation
            if asked is None or asked.estimator in seen or asked.estimator not in OTHERS:
                continue
            if len(release.frame(asked.panel, ())) > LARGEST:
                continue
            estimate, result = run(release, asked)
            if result is None:
                continue
            program, work = OTHERS[asked.estimator]
            frame, arguments, _ = sample(release, asked)
            rows = frame if asked.estimator in WHOLE else frame.loc[result.sample]
            theirs = work(rows, arguments | ({"then": asked.then} if asked.then else {}))
            if not theirs:  # options that the other program does not have
                continue
            seen.add(asked.estimator)
            for term, value in theirs.items():
                here = estimate.terms[estimate.terms["term"] == term]
                if asked.estimator in BY_EQUATION:
                    here = here[here["equation"] == _first_equation(arguments)]
                yield Difference(
                    paper.slug, table.name, name, asked.estimator, program, term,
                    float(here["estimate"].iloc[0]), value,
                )  # fmt: skip


def _first_equation(arguments: Mapping[str, Any]) -> str:
    """The equation that is compared: of the outcome, or the first of a system."""
    return str(arguments.get("outcome") or next(iter(arguments["equations"])))


def _ols(frame: pd.DataFrame, arguments: Mapping[str, Any]) -> Slopes:
    from statsmodels.api import OLS, add_constant

    x = add_constant(frame[list(arguments["regressors"])].astype(float))
    fitted = OLS(frame[arguments["outcome"]].astype(float), x).fit()
    return {name: float(fitted.params[name]) for name in arguments["regressors"]}


def _dummies(frame: pd.DataFrame, effects: Sequence[str]) -> pd.DataFrame:
    parts = [
        pd.get_dummies(frame[name].astype(str), prefix=name, dtype=float, drop_first=at > 0)
        for at, name in enumerate(effects)
    ]
    return pd.concat(parts, axis=1)


def _effects(frame: pd.DataFrame, arguments: Mapping[str, Any]) -> Slopes:
    from statsmodels.api import OLS

    x = frame[list(arguments["regressors"])].astype(float)
    x = pd.concat([x, _dummies(frame, arguments.get("effects", ("city_code", "year")))], axis=1)
    fitted = OLS(frame[arguments["outcome"]].astype(float), x).fit()
    return {name: float(fitted.params[name]) for name in arguments["regressors"]}


def _instruments(frame: pd.DataFrame, arguments: Mapping[str, Any]) -> Slopes:
    from linearmodels.iv import IV2SLS
    from statsmodels.api import OLS

    dummies = _dummies(frame, arguments.get("effects", ("city_code", "year")))
    parts = [arguments.get(name, ()) for name in ("endogenous", "instruments", "controls")]
    names = [arguments["outcome"], *(column for part in parts for column in part)]
    out = {name: OLS(frame[name].astype(float), dummies).fit().resid for name in names}
    y, data = out[arguments["outcome"]], pd.DataFrame(out)
    controls = data[list(parts[2])] if parts[2] else None
    fitted = IV2SLS(y, controls, data[list(parts[0])], data[list(parts[1])]).fit()
    return {name: float(fitted.params[name]) for name in (*parts[0], *parts[2])}


def _within(frame: pd.DataFrame, arguments: Mapping[str, Any]) -> Slopes:
    from linearmodels.panel import PanelOLS

    if arguments.get("model") != "within":
        return {}
    indexed = frame.set_index([arguments.get("unit", "city_code"), arguments.get("time", "year")])
    x = indexed[list(arguments["regressors"])].astype(float)
    fitted = PanelOLS(indexed[arguments["outcome"]].astype(float), x, entity_effects=True).fit()
    return {name: float(fitted.params[name]) for name in arguments["regressors"]}


def _spatial(frame: pd.DataFrame, arguments: Mapping[str, Any]) -> Slopes:
    """IV3SLS of the first equation's terms, with W y, W X and W W X made by a matrix."""
    from linearmodels.system import IV3SLS

    parts = arguments["equations"]
    weights, units = arguments["weights"], frame["city_code"].tolist()
    place = [list(weights.units).index(unit) for unit in units]
    w = np.asarray(weights.raw.todense())[np.ix_(place, place)]
    sums = w.sum(axis=1, keepdims=True)
    w = np.divide(w, sums, out=np.zeros_like(w), where=sums > 0)
    data = frame.reset_index(drop=True).astype({n: float for p in parts.values() for n in
                                                (p["outcome"], *p["regressors"])})  # fmt: skip
    exogenous = list(dict.fromkeys(n for part in parts.values() for n in part["regressors"]))
    lags = {f"w_{n}": w @ data[n].to_numpy() for n in exogenous}
    twice = {f"w2_{n}": w @ lags[f"w_{n}"] for n in exogenous}
    z = pd.DataFrame({n: data[n] for n in exogenous} | lags | twice)
    system = {}
    for name, part in parts.items():
        others = [p["outcome"] for p in parts.values() if p is not part]
        named = [f"w_{n}" for n in part.get("lagged", [part["outcome"], *others])]
        spatial = {n: w @ data[n.removeprefix("w_")].to_numpy() for n in named}
        endogenous = pd.DataFrame(spatial | {n: data[n] for n in part.get("endogenous", others)})
        x = data[list(part["regressors"])].assign(constant=1.0)
        excluded = z.drop(columns=list(part["regressors"]))
        system[name] = {"dependent": data[part["outcome"]], "exog": x, "endog": endogenous,
                        "instruments": excluded}  # fmt: skip
    fitted = IV3SLS(system).fit(cov_type="unadjusted", method="gls")
    first = next(iter(parts))
    return {
        str(name).removeprefix(f"{first}_"): float(value)
        for name, value in fitted.params.items()
        if str(name).startswith(f"{first}_")
    }


OTHERS: dict[str, tuple[str, Callable[[pd.DataFrame, Mapping[str, Any]], Slopes]]] = {
    "linear_regression": ("statsmodels OLS", _ols),
    "fixed_effects": ("statsmodels OLS with dummies", _effects),
    "instrumental_variables": ("linearmodels IV2SLS", _instruments),
    "panel_regression": ("linearmodels PanelOLS", _within),
    "spatial_three_stage": ("linearmodels IV3SLS", _spatial),
    "dynamic_gmm": ("linearmodels IVGMM, stacked anew", dynamic_slopes),
    "heckman": ("statsmodels Probit, OLS", heckman_slopes),
    "psm_did": ("statsmodels Logit, scipy cKDTree, OLS", psm_did_slopes),
    "callaway_santanna": ("statsmodels OLS, a cell at a time", callaway_slopes),
    "imputation": ("statsmodels OLS with dummies, imputed", imputation_slopes),
    "mediation": ("statsmodels OLS with dummies, twice", mediation_slopes),
    "wild_bootstrap": ("statsmodels OLS with dummies", bootstrap_slopes),
}
WHOLE = (
    "dynamic_gmm",
    "psm_did",
    "callaway_santanna",
    "imputation",
    "mediation",
)  # they choose their rows themselves
BY_EQUATION = ("instrumental_variables", "spatial_three_stage", "heckman")  # terms in several


def uncovered(papers: Sequence[Paper]) -> list[str]:
    """Estimators of the papers that no other program here has."""
    asked: list[Estimation] = [
        column.estimation
        for paper in papers
        for table in paper.tables.values()
        for column in table.columns.values()
        if column.estimation is not None
    ]
    return sorted({one.estimator for one in asked} - set(OTHERS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; 0 if they could be computed, 1 with one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.report.recomputed",
        description="A column of each estimator recomputed by another program.",
    )
    parser.add_argument("papers", nargs="*", help=f"of: {', '.join(paper_names())}")
    parser.add_argument("--config", help="the configuration file whose warehouse is read")
    given = parser.parse_args(arguments)
    try:
        release = Release(given.config)
        papers = [load_paper(name) for name in given.papers or paper_names()]
        found = [one for paper in papers for one in differences(paper, release)]
        if not found:
            raise PaperError("No column of these papers is estimated by what another program has.")
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    rows = [vars(one) | {"relative": one.relative} for one in found]
    print(origin_line(release.is_simulated, release.name))
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.6g}".format))
    print(f"Not in these programs: {', '.join(uncovered(papers))}; see tests/estimators.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
