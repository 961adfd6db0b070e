"""A paper of one's own: a folder with a commented start that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis.papers.published import PUBLISHED_COLUMNS, PaperError

START = """# A paper: what each of its tables is. Run it with: citytrade papers --folder {folder}
# docs/own_paper.md says what may stand here; an unknown key is refused with the nearest name.
title = "My paper"
years = [2003, 2019]            # lags reach before the first year
panel = "city_year"             # see `citytrade panels`, `citytrade describe city_year`

# What holds for every table unless it says otherwise.
[defaults]
estimator = "fixed_effects"     # or any other; docs/estimators
outcome = "ln_export_value_usd"
effects = ["city_code", "year"]
covariance = {{ cluster = ["city_code"] }}
prepare = [
    # these give ln_export_value_usd and its like
    {{ log = ["export_value_usd", "gdp_per_head_cny", "fdi_usd"] }},
]

# Printed row -> term of the estimate, or a number of the whole.
[rows]
"GDP per head" = "ln_gdp_per_head_cny"
"FDI, a year before" = "L.ln_fdi_usd"
"Observations" = {{ statistic = "n" }}
"R2 within" = {{ statistic = "r2_within" }}

[tables.t1]
title = "Table 1. Exports and income"

[[tables.t1.columns]]
regressors = ["ln_gdp_per_head_cny"]

[[tables.t1.columns]]           # a column may say anything that differs from its table
head = "eastern cities"
regressors = ["ln_gdp_per_head_cny", "L.ln_fdi_usd"]
where = 'region == "east"'
"""


def write_start(folder: Path) -> Iterator[Path]:
    """Write paper.toml and an empty published.csv into a new folder.

    Raises
    ------
    PaperError : the folder holds a paper.toml already, or cannot be written.
    """
    if (folder / "paper.toml").exists():
        raise PaperError(f"{folder / 'paper.toml'} is there already; name another folder.")
    files = {
        "paper.toml": START.format(folder=folder),
        "published.csv": ",".join(PUBLISHED_COLUMNS) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            yield folder / name
    except OSError as error:
        raise PaperError(f"{folder} cannot be written: {error.strerror}.") from error
