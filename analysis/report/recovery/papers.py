"""Which module estimates which paper's headlines, and what it reads of a release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from analysis.report.recovery import (
    agglomeration_exports,
    agglomeration_resilience,
    digital_export_resilience,
    ecommerce_resilience,
    virtual_agglomeration_quality,
)
from analysis.report.recovery.core import Estimate, Panels


class Recovery(NamedTuple):
    """A paper's estimates from its panels; `tables` are those of a release that are no panels."""

    estimates: Callable[[Panels], dict[str, Estimate]]
    panels: Sequence[str]
    tables: Sequence[str] = ()


PAPERS: dict[str, Recovery] = {
    "agglomeration_exports": Recovery(
        agglomeration_exports.estimates, [agglomeration_exports.PANEL]
    ),
    "agglomeration_resilience": Recovery(
        agglomeration_resilience.estimates,
        [agglomeration_resilience.PANEL],
        [agglomeration_resilience.WEIGHTS],
    ),
    "digital_export_resilience": Recovery(
        digital_export_resilience.estimates, [digital_export_resilience.PANEL]
    ),
    "ecommerce_resilience": Recovery(ecommerce_resilience.estimates, [ecommerce_resilience.PANEL]),
    "virtual_agglomeration_quality": Recovery(
        virtual_agglomeration_quality.estimates, [virtual_agglomeration_quality.PANEL]
    ),
}
