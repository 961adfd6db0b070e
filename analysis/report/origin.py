"""The first line of whatever is printed: whose numbers these are."""

from __future__ import annotations

import pandas as pd

SIMULATED = (
    "SIMULATED DATA: our columns describe an invented world, "
    "made to test this program. Only the published columns are about China."
)
UNKNOWN = (
    "DATA OF UNKNOWN ORIGIN: the frame does not say whether it is simulated. Read it through "
    "warehouse.panel."
)
REAL = "Estimated on published files; what they hold is stated in the release."


def origin(frame: pd.DataFrame) -> str:
    """Whether a frame is simulated, and its release."""
    return origin_line(frame.attrs.get("simulated"), str(frame.attrs.get("release", "")))


def origin_line(is_simulated: bool | None, release: str) -> str:
    """Whether numbers are simulated (None: nobody knows), and of which release."""
    said = UNKNOWN if is_simulated is None else SIMULATED if is_simulated else REAL
    return f"{said} Release {release}." if release else said
