"""Instrumental variables: 2SLS, LIML, k-class and GMM, their tests, and inference that weak
instruments leave right."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.iv.model import instrumental_variables
from analysis.estimators.iv.result import InstrumentalResult

__all__ = ["InstrumentalResult", "instrumental_variables"]

register("iv", instrumental_variables)
