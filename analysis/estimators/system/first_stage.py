"""What the instruments of an equation are worth: first-stage F by regressor, and Sargan's test.

With x_j an endogenous regressor, X1 the exogenous ones and Z all instruments, the conditional F of
Sanderson and Windmeijer (2016, Journal of Econometrics 190) is the first-stage F of what two-stage
least squares leaves of x_j once the other endogenous regressors are taken out, with one degree of
freedom less for each of them; of a single endogenous regressor it is the usual first-stage F.
Sargan's statistic is n e'P e / e'e with e the residuals of two-stage least squares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from analysis.estimators.core.result import Caution, Test
from analysis.estimators.core.strength import WEAK_F

REJECTED = 0.05
NOTHING_LEFT = 1e-9  # below this share left by the instruments, a regressor is one of them


class InstrumentTests(NamedTuple):
    """Tests by name and what a reader must be told of them."""

    tests: dict[str, Test]
    warnings: tuple[Caution, ...]


def instrument_tests(
    terms: Mapping[str, Sequence[str]],
    y: Sequence[np.ndarray],
    x: Sequence[np.ndarray],
    z: Sequence[np.ndarray],
    taken: int = 0,
) -> InstrumentTests:
    """first_stage_<term> for each endogenous regressor, sargan_<equation> where there is something
    to test, and a warning for each equation whose instruments are weak or rejected.

    Parameters
    ----------
    terms : of each equation, in the order of its regressors
    y, x, z : (n,), (n, k_i) and (n, l_i) of each equation, effects taken out
    taken : rank of those effects
    """
    tests: dict[str, Test] = {}
    warnings: list[Caution] = []
    for (name, own), outcome, right, instruments in zip(terms.items(), y, x, z, strict=True):
        q = np.linalg.qr(instruments)[0]
        found = _first_stages(name, own, right, q, taken)
        tests |= {f"first_stage_{term}": test for term, test in found.items()}
        warnings += _weak(name, found)
        overidentified = q.shape[1] - right.shape[1]
        if overidentified > 0:
            test = _sargan(name, outcome, right, q, overidentified)
            tests[f"sargan_{name}"] = test
            warnings += _rejected(name, test)
    return InstrumentTests(tests, tuple(warnings))


def _first_stages(
    name: str,
    terms: Sequence[str],
    x: np.ndarray,
    q: np.ndarray,
    taken: int,
) -> dict[str, Test]:
    hat = q @ (q.T @ x)
    left = np.linalg.norm(x - hat, axis=0) > NOTHING_LEFT * np.linalg.norm(x, axis=0)
    df2 = len(x) - q.shape[1] - taken
    # Excluded instruments, less one for each other endogenous regressor.
    df = q.shape[1] - int((~left).sum()) - (int(left.sum()) - 1)
    found = {}
    for j in np.flatnonzero(left).tolist():
        others = np.delete(np.arange(x.shape[1]), j)
        gamma = np.linalg.lstsq(hat[:, others], x[:, j], rcond=None)[0]
        rest = x[:, j] - x[:, others] @ gamma
        inside = q.T @ rest
        unexplained = float(rest @ rest) - float(inside @ inside)
        explained = float(inside @ inside)
        f = explained / df / (unexplained / df2)
        p = float(stats.f.sf(f, df, df2))
        what = f"first-stage F of {terms[j].removeprefix(f'{name}_')} in {name}"
        found[terms[j]] = Test(what, f, df, p, df2, "its instruments say nothing of it")
    return found


def _sargan(name: str, y: np.ndarray, x: np.ndarray, q: np.ndarray, df: int) -> Test:
    b = np.linalg.lstsq(q.T @ x, q.T @ y, rcond=None)[0]
    e = y - x @ b
    inside = q.T @ e
    statistic = len(y) * float(inside @ inside) / float(e @ e)
    p = float(stats.chi2.sf(statistic, df))
    return Test(f"Sargan of {name}", statistic, df, p, null="its instruments are exogenous")


def _weak(name: str, found: Mapping[str, Test]) -> list[Caution]:
    weak = {term: test.statistic for term, test in found.items() if test.statistic < WEAK_F}
    if not weak:
        return []
    shown = ", ".join(f"{t.removeprefix(f'{name}_')} (F {f:.1f})" for t, f in weak.items())
    text = f"Equation {name}: the instruments say little of {shown}; below {WEAK_F:.0f} estimates "
    text += "lean towards least squares and t tests find too much."
    remedy = "Shuffle the outcome among units to see how often chance alone is significant."
    return [Caution("weak_instruments", text, remedy)]


def _rejected(name: str, test: Test) -> list[Caution]:
    if not test.p < REJECTED:
        return []
    text = f"Equation {name}: Sargan's test rejects the instruments ({test})."
    return [Caution("rejected_instruments", text, "Some of them belong into the equation.")]
