"""What tests of papers share: a hand-made release with a panel that is large enough to estimate on,
and papers written for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.papers import PUBLISHED_COLUMNS, Release
from tests.conftest import MakeRelease
from warehouse.settings.config import Config

# 40 cities, 2001-2012, noise from hashes: the same on every machine.
DEMO = """
create table demo as
with grid as (
    select lpad(c::varchar, 4, '0') as city_code, c, y::smallint as year,
        (hash(c, y, 'x') % 10007)::double / 10007 - 0.5 as x,
        (hash(c, y, 'z') % 10007)::double / 10007 - 0.5 as z,
        (hash(c, y, 'e') % 10007)::double / 10007 - 0.5 as e
    from range(1, 41) a(c), range(2001, 2013) b(y)
)
select city_code, year, x, z, 2 * z + x + 0.2 * e as w,
    1 + 0.5 * x + 0.3 * z + c / 40 + (year - 2000) / 10 + 0.2 * e as outcome,
    case when c <= 20 then 'east' else 'west' end as region,
    c % 2 = 0 as is_even,
    (c <= 12 and year >= 2005 + c % 3)::int as treated,
    case when c <= 12 then 2005 + c % 3 end as cohort,
    exp(x) as level
from grid
"""
START = """title = "Demo"
panel = "main.demo"
years = [2002, 2012]
[defaults]
estimator = "fixed_effects"
outcome = "outcome"
regressors = ["x", "z"]
[rows]
X = "x"
Z = "z"
N = { statistic = "n" }
"""


@pytest.fixture
def demo(tiny_config: Config, make_release: MakeRelease) -> Release:
    make_release(change=DEMO)
    return Release(tiny_config)


@pytest.fixture
def write_paper(tmp_path: Path) -> Callable[..., Path]:
    """A paper's folder: START and more, and lines of published.csv."""

    def write(more: str, *printed: str, start: str = START) -> Path:
        folder = tmp_path / "demo_paper"
        folder.mkdir(exist_ok=True)
        (folder / "paper.toml").write_text(start + more, encoding="utf-8")
        lines = [",".join(PUBLISHED_COLUMNS), *printed]
        (folder / "published.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return write
