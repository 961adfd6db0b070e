"""Every input of `python -m tests.faults.inputs`, and that its judge can find one wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.inputs import CASES, VARIABLE, Outcome, judged, not_tried, read
from tests.faults.likelihood import scales_with_its_unit

FOLDER = os.environ.get(VARIABLE)
needs_folder = pytest.mark.skipif(FOLDER is None, reason=f"{VARIABLE} names no folder of inputs")


@needs_folder
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_an_input_gives_its_right_value_or_its_true_refusal(case, tmp_path):
    verdict = judged(case, read(case.source, Path(FOLDER or "") / case.file, tmp_path))
    assert verdict.fate != "WRONG", verdict.now


@needs_folder
def test_no_input_is_left_untried():
    assert not_tried(Path(FOLDER or "")) == set()


def test_likelihoods_scale_with_the_outcomes_unit():
    assert scales_with_its_unit() == {"tobit": "2.103647", "heckman": "2.137194"}


def test_another_value_and_another_reason_are_wrong():
    refused = next(case for case in CASES if case.refusal)
    assert judged(refused, Outcome(refusal="party_id: float, 16,777,216")).fate == "refused truly"
    assert judged(refused, Outcome(refusal="is no table")).fate == "WRONG"
    read_one = replace(refused, look=lambda _: 1, right=1, refusal=())
    assert judged(read_one, Outcome()).fate == "right"
    assert judged(replace(read_one, right=2), Outcome()).fate == "WRONG"
    assert judged(read_one, Outcome(refusal="a sentence")).fate == "WRONG"
