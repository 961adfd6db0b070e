"""The manifest of a release, from what its refresh was given and did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from flows.refresh.inputs import Inputs, code_version
from flows.refresh.outcomes import SourceOutcome
from warehouse.releases.publish import Manifest
from warehouse.settings.config import Config


def manifest_of(
    config: Config,
    release: str,
    inputs: Inputs,
    previous: Manifest | None,
    created_at: str,
    set_id: str,
    outcomes: Sequence[SourceOutcome],
) -> Manifest:
    return Manifest(
        release=release,
        previous=previous.release if previous is not None else None,
        created_at=created_at,
        config=config.path.name,
        is_simulated=any(outcome.is_simulated for outcome in outcomes),
        input_fingerprint=inputs.fingerprint,
        code_fingerprint=inputs.code,
        set_id=set_id,
        packages=dict(inputs.packages),
        sources=[
            {
                "source": outcome.source,
                "status": outcome.status,
                "message": outcome.message,
                "is_simulated": outcome.is_simulated,
            }
            for outcome in outcomes
        ],
        loads=[asdict(load) for outcome in outcomes for load in outcome.loads],
        code_version=code_version(),
        years=[config.first_year, config.last_year],
        choices=config.choices,
    )
