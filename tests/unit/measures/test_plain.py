"""Linear algebra without BLAS: what it must equal, what it must not do, and that it calls nothing
of LAPACK's.
"""

from __future__ import annotations

import ast
from fractions import Fraction

import numpy as np
import pytest

from analysis.measures import plain
from tests.conftest import PROJECT

# What may call BLAS: np.linalg and scipy.linalg, and products by @, dot and their kin.
CALLS_BLAS = {
    "dot",
    "vdot",
    "inner",
    "matmul",
    "tensordot",
    "corrcoef",
    "cov",
    "polyfit",
    "multivariate_normal",
    "lstsq",
    "minimize",
    "PCA",
}
# By module, how many such places are right all the same, and why.
RIGHT = {
    "demeaning": 4,  # sparse matrices, whose products scipy writes out in C++
    "frontier": 1,  # block_diag places numbers
    "plain": 2,  # sums that are exact in any order
    "relatedness": 1,  # a product of zeros and ones
    "weights": 3,  # principal_components, which no release holds
}


@pytest.fixture(scope="module")
def tall() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(80, 5)) * [1, 1e6, 1e-6, 1, 1]


def test_products_are_products(tall: np.ndarray) -> None:
    y = np.arange(80.0)
    assert plain.dot(y, y) == 79 * 80 * 159 / 6
    np.testing.assert_allclose(plain.cross(tall, y), tall.T @ y, rtol=1e-12)
    np.testing.assert_allclose(
        plain.cross(tall, tall[:, :2]), tall.T @ tall[:, :2], rtol=1e-11, atol=1e-9
    )
    np.testing.assert_allclose(plain.times(tall, np.arange(5.0)), tall @ np.arange(5.0), rtol=1e-14)
    np.testing.assert_allclose(plain.times(tall, np.eye(5)[:, :3]), tall[:, :3])
    assert plain.cross(tall, tall[:, :0]).shape == (5, 0)
    assert plain.times(tall[:, :0], np.zeros(0)).tolist() == [0.0] * 80


def test_a_basis_is_orthonormal_and_leads_back(tall: np.ndarray) -> None:
    other = np.random.default_rng(1).normal(size=80)
    near = np.column_stack([tall, tall[:, 0] + 1e-7 * other, tall[:, 1] * 2])
    basis, triangle, kept = plain.orthonormal(near, 1e-9)
    assert kept.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=2e-15)
    np.testing.assert_allclose(basis @ triangle, near, rtol=1e-9, atol=1e-15)
    assert plain.orthonormal(near[:4], 1e-9)[0].shape == (4, 4)


def test_a_complex_step_passes_through(tall: np.ndarray) -> None:
    """The derivative of least squares by one number of the columns, against a difference."""
    y, step = np.sin(np.arange(80.0)), np.zeros_like(tall)
    step[3, 0] = 1.0
    along = np.imag(plain.least_squares(tall + 1e-30j * step, y.astype(complex), 1e-9)) / 1e-30
    sides = [
        np.linalg.lstsq((tall + turn * 1e-5 * step) / np.abs(tall).max(axis=0), y)[0]
        for turn in (1, -1)
    ]
    np.testing.assert_allclose(
        along, (sides[0] - sides[1]) / 2e-5 / np.abs(tall).max(axis=0), rtol=1e-4
    )


def test_equations_and_least_squares(tall: np.ndarray) -> None:
    y = np.cos(np.arange(80.0))
    size = np.linalg.norm(tall, axis=0)
    expected = np.linalg.lstsq(tall / size, y)[0] / size
    np.testing.assert_allclose(plain.least_squares(tall, y, 1e-9), expected, rtol=1e-11)
    doubled = plain.least_squares(np.column_stack([tall, tall[:, 0]]), y, 1e-9)
    np.testing.assert_allclose(doubled, [*expected, 0.0], rtol=1e-11)
    upper = np.triu(np.random.default_rng(1).normal(size=(5, 5)))
    np.testing.assert_allclose(upper @ plain.solve_upper(upper, np.eye(5)), np.eye(5), atol=1e-12)


@pytest.mark.parametrize("kind", ["any", "positive", "graded", "zero", "equal", "singular"])
def test_eigenvalues_and_vectors(kind: str) -> None:
    draw = np.random.default_rng(2).normal(size=(7, 7))
    grade = 10.0 ** -np.arange(7)
    matrix = {
        "any": draw + draw.T,
        "positive": draw @ draw.T,
        "graded": (draw @ draw.T + 7 * np.eye(7)) * np.outer(grade, grade),
        "zero": np.zeros((7, 7)),
        "equal": np.full((7, 7), 0.5) + np.eye(7) / 2,
        "singular": np.outer(draw[0], draw[0]),
    }[kind]
    roots, axes = plain.eigen(matrix)
    np.testing.assert_allclose(
        roots, np.linalg.eigvalsh(matrix), atol=1e-14 * max(1.0, np.abs(matrix).max()) * 7
    )
    np.testing.assert_allclose(axes.T @ axes, np.eye(7), atol=1e-14)
    np.testing.assert_allclose(
        (axes * roots) @ axes.T, matrix, atol=1e-14 * max(1.0, np.abs(matrix).max()) * 7
    )
    if kind == "graded":  # small ones too are right to their last digits, where LAPACK's are not
        np.testing.assert_allclose(
            np.prod(roots / grade**2), np.linalg.det(draw @ draw.T + 7 * np.eye(7)), rtol=1e-12
        )


def test_counted_sums_are_exact() -> None:
    """Against sums of fractions, each rounded once."""
    draw = np.random.default_rng(3)
    marks, shares = (
        (draw.random((4, 1300)) < 0.5).astype(float),
        draw.integers(0, 300, (1300, 3)) / 301,
    )
    found = plain.counted(marks, plain.halves(shares))
    for row, column in np.ndindex(4, 3):
        exact = sum((Fraction(share) for share in shares[marks[row] > 0, column]), Fraction())
        assert (
            abs(Fraction(found[row, column]) - exact)
            <= Fraction(np.spacing(found[row, column])) / 2
        )
    with pytest.raises(ValueError, match="more than the 8,192 whose sums are exact"):
        plain.counted(np.ones((1, 9000)), plain.halves(np.ones((9000, 1))))


def test_measures_call_no_kernel() -> None:
    """A new product by @, or a call of linalg, is to be written with `plain`, or to be counted here
    with its reason.
    """
    found = {}
    for file in sorted((PROJECT / "analysis" / "measures").rglob("*.py")):
        count = 0
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                count += 1
            elif isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value).split(".")[-1]
                count += owner == "linalg" or (owner != "plain" and node.attr in CALLS_BLAS)
        if count:
            found[file.stem] = count
    assert found == RIGHT
