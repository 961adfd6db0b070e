"""Tall matrices decomposed by blocks: as orthonormal, and as near to the columns, as at once."""

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.core.tall import BLOCK_ROWS, cross, decomposed
from analysis.estimators.iv import instrumental_variables
from analysis.estimators.iv.equation import widened


@pytest.mark.parametrize("n", [7, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS - 5])
def test_a_decomposition_by_blocks_is_orthonormal_and_gives_the_columns_back(n: int) -> None:
    columns = np.random.default_rng(n).normal(size=(n, 6)) @ np.diag(10.0 ** np.arange(-6, 6, 2))
    q, triangle = decomposed(columns)
    assert q.shape == (n, 6)
    assert np.abs(q.T @ q - np.eye(6)).max() < 1e-14
    assert np.allclose(triangle, np.triu(triangle))
    assert np.abs(q @ triangle / columns - 1).max() < 1e-9
    at_once = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    assert np.abs(np.diag(triangle)) == pytest.approx(at_once, rel=1e-13)


def test_a_column_that_a_basis_spans_widens_it_by_a_direction_of_its_own() -> None:
    columns = np.random.default_rng(1).normal(size=(2 * BLOCK_ROWS, 3))
    q, _ = decomposed(columns)
    wide = widened(q, (columns @ [1.0, 2.0, 3.0])[:, None])
    assert np.abs(cross(wide, wide) - np.eye(4)).max() < 1e-13


def test_more_rows_than_a_block_give_the_textbook_estimate() -> None:
    rng = np.random.default_rng(2)
    n = 2 * BLOCK_ROWS + 3
    z, error = rng.normal(size=(n, 3)), rng.normal(size=n)
    x = z[:, 0] + 0.5 * z[:, 1] + error + rng.normal(size=n)
    frame = pd.DataFrame({"y": 2 * x + z[:, 2] + error, "x": x, "a": z[:, 0], "b": z[:, 1]})
    frame["c"] = z[:, 2]
    result = instrumental_variables(frame, "y", ["x"], ["a", "b"], ["c"], covariance="robust")
    one = np.ones(n)
    full, excluded = np.column_stack([x, z[:, 2], one]), np.column_stack([z, one])
    fitted = excluded @ np.linalg.solve(excluded.T @ excluded, excluded.T @ full)
    bread = np.linalg.inv(fitted.T @ full)
    beta = bread @ (fitted.T @ frame["y"].to_numpy())
    scores = fitted * (frame["y"].to_numpy() - full @ beta)[:, None]
    assert list(result.coefficients) == pytest.approx(beta, rel=1e-12)
    spread = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    assert list(result.standard_errors) == pytest.approx(spread, rel=1e-11)
