"""Systems of linear equations: OLS, WLS, SUR, 2SLS, W2SLS and 3SLS."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.system.model import equation_system, hausman_systems
from analysis.estimators.system.parts import Equation
from analysis.estimators.system.result import SystemResult

__all__ = ["Equation", "SystemResult", "equation_system", "hausman_systems"]

register("system", equation_system, hausman_systems)
