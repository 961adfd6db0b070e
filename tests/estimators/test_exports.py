"""Every name that the package promises is there, under a name of its own."""

from __future__ import annotations

from types import ModuleType

import pytest

import analysis.estimators as estimators


@pytest.mark.parametrize("name", estimators.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    found = getattr(estimators, name)
    assert callable(found)
    assert not isinstance(found, ModuleType)


def test_no_name_is_promised_twice() -> None:
    assert len(estimators.__all__) == len(set(estimators.__all__))
