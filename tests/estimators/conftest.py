"""Where the numbers of other programs are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder that CITYTRADE_GOLDEN names; tests that need it skip where it is not set."""
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder)
