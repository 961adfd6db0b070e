"""Production functions by control functions, and the productivity of every row that they imply.

Olley and Pakes (1996), Levinsohn and Petrin (2003), Ackerberg, Caves and Frazer (2015), Wooldridge
(2009). All columns are logs, given by the caller.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd

from analysis.measures import plain, samples
from analysis.measures.productivity_panel import FirmPanel, Roles, firm_panel
from analysis.measures.productivity_stages import Estimate, Method, Plan, estimate

TITLES = {
    "op": "Olley-Pakes",
    "lp": "Levinsohn-Petrin",
    "acf": "Ackerberg-Caves-Frazer",
    "wooldridge": "Wooldridge (2009), second equation,",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class ProductivityResult:
    """A production function.

    Attributes
    ----------
    method, output : what was estimated, of which column
    coefficients : elasticities by column: free inputs, state, proxies (gross output only); then
        controls
    standard_errors : standard deviations over the bootstrap's draws; NaN without a bootstrap
    draws : (repetitions, k) coefficients of the draws that could be estimated
    log_tfp : for every row of the frame, output less inputs times elasticities less controls, in
        log points; NaN where a row was left out
    expected_log_tfp : the same with output as the first stage predicts it, so without its noise;
        NaN for Wooldridge
    survival : chance of being seen again, with attrition; NaN elsewhere
    criterion : of the second stage at its minimum: mean squared innovation, or the mean of squared
        moments, which is zero where they can all be met
    minima : distinct local minima reached from the starts, the lowest first, with their criterion
    n, n_second, firms : rows used in the first stage, rows with the same firm's row of the period
        before, firms
    gaps : rows whose firm has an earlier row, but not of the period before
    dropped : reason -> rows
    """

    method: str
    output: str
    coefficients: pd.Series
    standard_errors: pd.Series
    draws: pd.DataFrame
    log_tfp: pd.Series
    expected_log_tfp: pd.Series
    survival: pd.Series
    criterion: float
    minima: pd.DataFrame
    n: int
    n_second: int
    firms: int
    gaps: int
    dropped: Mapping[str, int]
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """Terms in rows; coefficient and standard_error in columns."""
        return pd.DataFrame(
            {"coefficient": self.coefficients, "standard_error": self.standard_errors}
        ).rename_axis("term")

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, how the standard errors were made, and
        what was left out.
        """
        left_out = (
            "; ".join(f"{samples.rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        errors = (
            f"standard errors from {len(self.draws)} draws of firms"
            if len(self.draws)
            else "no standard errors"
        )
        return (
            f"{self.method} of {self.output}, {samples.rows(self.n)}, {self.firms:,} firms,"
            f" {self.n_second:,} rows with the period before ({self.gaps:,} after a gap without"
            f" it); {errors}; left out: {left_out}.{self._second_solution()}"
        )

    def _second_solution(self) -> str:
        """What is to be said where other coefficients meet the second stage as well as those taken
        (Ackerberg, Caves and Frazer 2015; Kim, Luo and Su 2019); "" where none were found.
        """
        alike = self.minima["criterion"] <= max(self.criterion, 1e-12)
        others = self.minima[alike].iloc[1:].drop(columns="criterion")
        if others.empty:
            return ""
        shown = "; ".join(
            ", ".join(f"{name} {value:.4g}" for name, value in row.items())
            for row in others.to_dict("records")
        )
        return (
            f" {len(others)} more solution(s) meet the moments as well ({shown}); the one nearest"
            " the start was taken: see minima."
        )

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=lambda value: f"{value: .6g}")
        return f"{table}\n{self.note()}"


def production_function(
    frame: pd.DataFrame,
    output: str,
    *,
    unit: str,
    period: str,
    free: Sequence[str],
    state: Sequence[str],
    proxy: Sequence[str],
    controls: Sequence[str] = (),
    method: Method = "acf",
    order: int = 3,
    transition_order: int = 3,
    gross_output: bool = False,
    attrition: bool = False,
    joint: bool = False,
    start: Sequence[float] | None = None,
    starts: int = 12,
    repetitions: int = 50,
    seed: int = 0,
) -> ProductivityResult:
    """Estimate y = b_f free + b_s state [+ b_m proxy] + c controls + w + e, where w is seen by the
    firm and follows a first-order Markov process.

    Parameters
    ----------
    frame : one row a firm and period, columns in logs; a lag is the row of the period before, never
        across a gap
    output : log of value added, or of gross output with `gross_output`
    free : inputs chosen after w is seen (labour); state : inputs fixed before (capital)
    proxy : investment ("op") or intermediate inputs ("lp", "acf", "wooldridge"), a monotonic
        function of w and the state
    controls : columns that enter linearly and not through the proxy (year or industry dummies);
        their coefficients are the first stage's
    method : "op" and "lp" take free inputs from the partly linear first stage and differ in the
        proxy only; "acf" takes all inputs from the second
        stage, with moments of current state and lagged free inputs; "wooldridge" is two-stage least
        squares of the second equation, with `joint` of both
    order, transition_order : degree of the polynomial in the first stage, and of w's expectation in
        lagged w
    gross_output : proxies are inputs too, with their lags as instruments; not for "op" and
        "wooldridge"
    attrition : w's expectation also depends on the chance of survival, from a probit (Olley and
        Pakes)
    joint : in "op" and "lp" fit w's expectation together with the elasticities (Olley and Pakes
        1996), instead of on the first stage's w
        (Petrin, Poi and Levinsohn 2004; the default); in "wooldridge" estimate both equations,
        which share their elasticities, as one system (Wooldridge 2009)
    start, starts : a start of the second stage, and how many more are spread over elasticities
        between 0 and 1; the lowest minimum is taken
    repetitions, seed : bootstrap over firms; 0 for none

    Returns
    -------
    ProductivityResult : elasticities, and log productivity of every row

    Raises
    ------
    ValueError : columns missing or not numeric, duplicate firm and period, collinear inputs, no
        adjacent periods, options that exclude each other
    """
    started = time.perf_counter()
    roles = Roles(output, tuple(free), tuple(state), tuple(proxy), tuple(controls), unit, period)
    given = None if start is None else tuple(start)
    linear = (*roles.free, *roles.controls)
    stages = method, order, transition_order, attrition, gross_output, joint
    plan = Plan(*stages, linear, starts, given)
    _check(plan, roles, repetitions)
    panel, rows, dropped = firm_panel(frame, roles)
    fitted = estimate(panel, plan)
    names = [*roles.free, *roles.state, *(roles.proxy if gross_output else ()), *roles.controls]
    draws = _bootstrap(panel, plan, fitted, names, repetitions, seed)
    return ProductivityResult(
        **_coefficients(roles, plan, fitted, names, draws),
        **_by_rows(frame.index, rows, panel, fitted, gross_output),
        **_counts(panel),
        dropped=dropped,
        seconds=time.perf_counter() - started,
    )


def _coefficients(
    roles: Roles, plan: Plan, fitted: Estimate, names: list[str], draws: pd.DataFrame
) -> dict[str, Any]:
    """Elasticities with their errors, and the minima that were reached."""
    what = "gross-output" if plan.gross_output else "value-added"
    errors = draws.std(ddof=1).to_numpy() if len(draws) > 1 else np.nan
    return {
        "method": f"{_title(plan)} {what} production function",
        "output": roles.output,
        "coefficients": pd.Series(fitted.beta, index=names, name="coefficient"),
        "standard_errors": pd.Series(errors, index=names, name="standard_error"),
        "draws": draws,
        "criterion": fitted.solutions[0].criterion,
        "minima": _minima(plan.method, fitted, names, len(roles.free)),
    }


def _title(plan: Plan) -> str:
    both = plan.method == "wooldridge" and plan.joint
    return "Wooldridge (2009), both equations," if both else TITLES[plan.method]


def _minima(method: Method, fitted: Estimate, names: list[str], free: int) -> pd.DataFrame:
    """The coefficients of the second stage at each minimum, with its criterion."""
    width = len(fitted.solutions[0].theta)
    own = names[:width] if method in ("acf", "wooldridge") else names[free:][:width]
    rows = [[*one.theta, one.criterion] for one in fitted.solutions]
    return pd.DataFrame(rows, columns=[*(own if width == len(own) else names), "criterion"])


def _by_rows(
    index: pd.Index, rows: np.ndarray, panel: FirmPanel, fitted: Estimate, gross_output: bool
) -> dict[str, Any]:
    """Productivity and survival of every row of the frame."""
    explained = _explained(panel, fitted, gross_output)
    found = {
        "log_tfp": panel.y - explained,
        "expected_log_tfp": fitted.expected - explained,
        "survival": fitted.survival,
    }
    return {name: _by_row(index, rows, values, name) for name, values in found.items()}


def _counts(panel: FirmPanel) -> dict[str, Any]:
    later = np.diff(panel.firm, prepend=-1) == 0
    return {
        "n": len(panel.y),
        "n_second": int((panel.before >= 0).sum()),
        "firms": int(panel.firm.max()) + 1,
        "gaps": int((later & (panel.before < 0)).sum()),
    }


def _check(plan: Plan, roles: Roles, repetitions: int) -> None:
    if plan.method not in get_args(Method):
        raise ValueError(f"method {plan.method!r} is not known. Use {', '.join(get_args(Method))}.")
    if not roles.free or not roles.state or not roles.proxy:
        raise ValueError(
            "a production function needs at least one free input, one state and one proxy."
        )
    if plan.order < 1 or plan.transition_order < 1 or plan.starts < 0 or repetitions < 0:
        raise ValueError(
            "order and transition_order are at least 1; starts and repetitions at least 0."
        )
    if plan.gross_output and plan.method in ("op", "wooldridge"):
        raise ValueError(
            "gross_output needs intermediate inputs with lags as instruments: method 'lp' or"
            f" 'acf', not {plan.method!r}."
        )
    if plan.attrition and plan.method == "wooldridge":
        raise ValueError(
            "attrition is for 'op', 'lp' and 'acf': Wooldridge's equation has no productivity "
            "to condition on."
        )
    if plan.joint and (plan.method not in ("op", "lp", "wooldridge") or plan.gross_output):
        raise ValueError(
            "joint is for 'op', 'lp' and 'wooldridge' of value added: the others are estimated by"
            " moments."
        )


def _explained(panel: FirmPanel, fitted: Estimate, gross_output: bool) -> np.ndarray:
    """Inputs times elasticities plus controls."""
    proxies = panel.proxy if gross_output else panel.proxy[:, :0]
    return plain.times(np.hstack([panel.free, panel.state, proxies, panel.controls]), fitted.beta)


def _by_row(index: pd.Index, rows: np.ndarray, values: np.ndarray, name: str) -> pd.Series:
    out = np.full(len(index), np.nan)
    out[rows] = values
    return pd.Series(out, index=index, name=name)


def _bootstrap(
    panel: FirmPanel,
    plan: Plan,
    fitted: Estimate,
    names: Sequence[str],
    repetitions: int,
    seed: int,
) -> pd.DataFrame:
    """Coefficients of samples of firms drawn with replacement; a draw in which a coefficient cannot
    be told is left out, which the count shows.
    """
    draw = np.random.default_rng(seed)
    firms = int(panel.firm.max()) + 1
    out = []
    for _ in range(repetitions):
        resample = panel.resampled(draw.integers(0, firms, firms))
        try:
            out.append(estimate(resample, plan, [fitted.solutions[0].theta]).beta)
        except ValueError:
            continue
    return pd.DataFrame(np.array(out).reshape(-1, len(names)), columns=list(names))
