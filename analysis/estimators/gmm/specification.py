"""A call of dynamic_gmm once it is read and checked: terms, instruments and options that do not
contradict each other."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    ArEquation,
    Covariance,
    CovarianceOption,
    GmmConventions,
    GmmEquation,
    GmmInverse,
    GmmSmall,
    GmmSteps,
    GmmSystem,
    GmmTimeEffects,
    GmmWeighting,
    Transform,
    checked,
    covariance_of,
)
from analysis.estimators.gmm.specs import GMM, IV, Asked
from analysis.estimators.gmm.terms import Term


@dataclass(frozen=True)
class Specification:
    """The options of dynamic_gmm by their names; instruments come with their terms and the label of
    their group.

    Attributes
    ----------
    robust : errors clustered by unit, not conventional
    constant : whether there is one, whatever the default is
    """

    outcome: str
    regressors: tuple[Term, ...]
    gmm: tuple[Asked[GMM], ...]
    iv: tuple[Asked[IV], ...]
    unit: str
    time: str
    robust: bool
    small: GmmSmall
    equations: GmmSystem
    transform: Transform
    steps: GmmSteps
    weighting: GmmWeighting
    constant: bool
    time_effects: GmmTimeEffects
    time_effects_equation: GmmEquation
    ar_orders: int
    ar_equation: ArEquation
    conventions: GmmConventions
    inverse: GmmInverse

    @property
    def system(self) -> bool:
        """Whether there are level equations beside the transformed ones."""
        return self.equations == "system"

    @property
    def conventional(self) -> bool:
        """One step with the first step's error covariance taken at its word."""
        return self.steps == 1 and not self.robust

    @property
    def columns(self) -> list[str]:
        """Columns of the frame that the model is made of, each once."""
        named = [term for _, terms, _ in (*self.gmm, *self.iv) for term in terms]
        return list(
            dict.fromkeys([self.outcome, *(term.column for term in (*self.regressors, *named))])
        )


def is_robust(option: CovarianceOption, unit: str) -> bool:
    """Whether errors are clustered by unit: "robust", or the unit named as the cluster.

    Raises
    ------
    ValueError : clusters other than the unit, which the moments of a panel of units cannot give.
    """
    found: Covariance = covariance_of(option, most=1)
    if found.clusters and found.clusters != (unit,):
        raise ValueError(
            f"covariance = {option!r}: errors of dynamic GMM are clustered by {unit}, which is"
            " 'robust', or conventional, which is 'iid'."
        )
    return found.kind != "iid"


def check(spec: Specification) -> None:
    """Refuse options that are unknown or contradict each other.

    Raises
    ------
    ValueError : naming the option and what goes with it.
    """
    for name, choices in (
        ("small", GmmSmall),
        ("transform", Transform),
        ("steps", GmmSteps),
        ("weighting", GmmWeighting),
        ("time_effects", GmmTimeEffects),
        ("time_effects_equation", GmmEquation),
        ("ar_equation", ArEquation),
        ("conventions", GmmConventions),
        ("inverse", GmmInverse),
    ):
        checked(name, getattr(spec, name), choices)
    checked("constant", spec.constant, (True, False))
    if not isinstance(spec.ar_orders, int) or spec.ar_orders < 0:
        raise ValueError(f"ar_orders = {spec.ar_orders!r}: a whole number, 0 or more.")
    if spec.ar_equation == "level" and not spec.system:
        raise ValueError(
            "ar_equation = 'level' looks at level residuals, "
            "which difference GMM does not have. Use equations='system'."
        )
    if spec.time_effects == "undifferenced" and (spec.system or spec.transform != "difference"):
        raise ValueError(
            "time_effects = 'undifferenced' belongs to difference GMM in first differences. "
            "Use time_effects=True."
        )
    if spec.constant and not spec.system and spec.transform != "difference":
        raise ValueError(
            "constant = True in difference GMM is a trend, "
            "for first differences only. Leave it out with orthogonal deviations."
        )
    _check_terms(spec)


def _check_terms(spec: Specification) -> None:
    if Term(spec.outcome) in spec.regressors:
        raise ValueError(
            f"the outcome {spec.outcome!r} is among the regressors. Its lags are"
            f" 'L.{spec.outcome}', 'L2.{spec.outcome}'."
        )
    if any(term.label == CONSTANT for term in spec.regressors):
        raise ValueError(
            f"a regressor cannot be called {CONSTANT!r}: the result has a term of that name. Rename"
            " the column."
        )
    if not (spec.gmm or spec.iv):
        raise ValueError(
            "no instruments are given. Name them in gmm and iv, "
            "strictly exogenous regressors in iv too."
        )
