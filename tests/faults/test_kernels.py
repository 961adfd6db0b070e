"""Measures give the same bits, and estimators the same numbers, under every kernel of OpenBLAS that
the processor has.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from tests.conftest import PROJECT
from tests.faults.kernels import KERNELS, look_at, under

ESTIMATE = "estimate: "
DIGITS = 1e-9  # of an estimate: its search ends where rounding begins, and rounding differs


@cache
def computed(kernel: str | None, threads: int) -> dict[str, np.ndarray]:
    """The figures of `tests.faults.figures` in a process under this kernel."""
    command = [sys.executable, "-m", "tests.faults.figures"]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=under(kernel, threads),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: np.array([float.fromhex(text) for text in texts])
        for name, texts in json.loads(done.stdout).items()
    }


@pytest.mark.parametrize("name", KERNELS)
def test_the_kernel_changes_no_figure(name: str) -> None:
    """With two threads, against the processor's own kernel with one."""
    kernel = look_at(name)
    if kernel.in_force != name:
        pytest.skip(f"{name}: {kernel.problem}")
    expected, found = computed(None, 1), computed(name, 2)
    assert expected.keys() == found.keys()
    for what, numbers in expected.items():
        assert np.isfinite(numbers).any(), what
        if what.startswith(ESTIMATE):
            np.testing.assert_allclose(found[what], numbers, rtol=DIGITS, err_msg=what)
        else:
            np.testing.assert_array_equal(found[what], numbers, err_msg=what)


def test_two_kernels_were_tried() -> None:
    """On x86 every processor of the last ten years has at least two; elsewhere OpenBLAS has no
    kernel of these names.
    """
    kernels = [look_at(name) for name in KERNELS]
    told = "; ".join(f"{kernel.name}: {kernel.problem or 'tried'}" for kernel in kernels)
    tried = {kernel.in_force for kernel in kernels if kernel.in_force == kernel.name}
    assert len(tried) >= 2 or not any(kernel.in_force in KERNELS for kernel in kernels), told
