"""What `make bench` measures one at a time, each in a process of its own:
`python -m tests.benchmarks.pieces NAME ARGUMENT…` prints its outcome as json on its last line.

A piece imports what it needs, does its work once in small where that loads more, and then starts
the clock.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pandas as pd

from tests.benchmarks.firm_panel import REGRESSORS, Outcome, firm_panel, timed

# Heads of the layout 2005_chinese_csv, with a code of the partner beside its name.
HEADS = {
    "日期": "year::varchar || '-' || lpad(month::varchar, 2, '0')",
    "进口或出口": "case flow when 'export' then '出口' else '进口' end",
    "HS编码": "hs8",
    "金额": "(value_cents / 100)::decimal(20, 2)",
    "数量": "quantity",
    "数量单位": "quantity_unit",
    "企业编码": "firm_code",
    "经营单位": "firm_name",
    "消费地或生产地": "production_place",
    "起运国或目的国代码": "partner_code",
    "起运国或目的国": "partner_name",
    "贸易方式": "trade_mode",
    "邮编": "postcode",
}
NEEDED = ("日期", "进口或出口", "HS编码", "金额", "企业编码", "消费地或生产地",
    "起运国或目的国代码", "邮编")  # fmt: skip


def write_csv(records: str, file: str) -> Outcome:
    """The benchmark's records as one csv, as a holder has them."""
    import duckdb

    columns = ", ".join(f'{sql} as "{head}"' for head, sql in HEADS.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns} from read_parquet('{records}/*.parquet')) to '{file}' (header)"
        )
    return {}


def parse(file: str) -> Outcome:
    """The limit of reading a csv: DuckDB parses it, and decodes the columns that a panel needs."""
    import duckdb

    wanted = ", ".join(f'max("{head}")' for head in NEEDED)
    with duckdb.connect(config={"threads": 1}) as connection:
        query = f"select {wanted} from read_csv('{file}', header = true, all_varchar = true)"
        return timed(lambda: {"rows": len(connection.sql(query).fetchall())})


def read(file: str, lake: str) -> Outcome:
    """Our reader, from the csv to a load in the lake."""
    from warehouse.sources import get_source
    from warehouse.sources.reading.loading import load_file

    shutil.rmtree(lake, ignore_errors=True)
    first = Path(file).with_name("first_rows.csv")
    with Path(file).open(encoding="utf-8") as lines:
        first.write_text("".join(islice(lines, 1_000)), encoding="utf-8")
    load_file(get_source("customs"), first, Path(lake))

    def work() -> Outcome:
        report, _ = load_file(get_source("customs"), Path(file), Path(lake))
        return {"rows": report.accepted_n, "aside": report.set_aside_n}

    return timed(work)


def checks(config_file: str) -> Outcome:
    """All checks of a published release's deliveries and panels, as a whole refresh runs them."""
    from expectations import check_deliveries, check_panels
    from warehouse.dictionary.entries import read_dictionary
    from warehouse.lake.loads import LoadReport
    from warehouse.releases.publish import DATABASE, current_release, read_manifest
    from warehouse.settings.config import load_config
    from warehouse.store import panels

    config = load_config(config_file)
    release = current_release(config.home)
    assert release is not None, "a release was just published"
    loads = [LoadReport(**load) for load in read_manifest(config.home, release).loads]
    meta = panels(config)
    grains = {name: _grain(config_file, name) for name in meta["panel"]}
    years = (config.first_year, config.last_year)

    def work() -> Outcome:
        found = check_deliveries(loads, config.lake)
        database = config.builds / release / DATABASE
        found += check_panels(database, grains, read_dictionary(), years)
        return {"rows": len(found)}

    return timed(work)


def _grain(config_file: str, panel: str) -> list[str]:
    from warehouse.store import connect

    with connect(config_file) as connection:
        query = "select grain from meta.panels where panel = ?"
        return str(connection.execute(query, [panel]).fetchall()[0][0]).split(", ")


def export(form: str, who: str, rows: str, folder: str) -> Outcome:
    """A panel of numbers into a file, by us or by the library that people would take."""
    import numpy as np

    draw = np.random.default_rng(1)
    frame = pd.DataFrame(draw.normal(size=(int(rows), 48)), columns=[f"x{i}" for i in range(48)])
    frame.insert(0, "city_code", draw.integers(1000, 9999, len(frame)).astype(str))
    frame.insert(1, "year", draw.integers(2000, 2021, len(frame)))
    file = Path(folder) / f"{who}.{form}"
    if who == "ours":
        from flows.doors.export import save

        frame.attrs = {"panel": "made_up", "release": "none", "simulated": False, "columns": {}}
        save(frame.head(10), file)
        return timed(lambda: {"rows": len(frame), "file": str(save(frame, file))})
    _other(form, frame.head(10), file)()
    return timed(_other(form, frame, file))


def _other(form: str, frame: pd.DataFrame, file: Path) -> Callable[[], Outcome]:
    import polars
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    writers: dict[str, Callable[[], object]] = {
        "csv": lambda: polars.from_arrow(table).write_csv(file),  # type: ignore[union-attr]
        "dta": lambda: frame.to_stata(file, write_index=False, version=118),
        "parquet": lambda: pq.write_table(
            pa.Table.from_pandas(frame, preserve_index=False), file, compression="zstd"
        ),
        "xlsx": lambda: frame.to_excel(file, index=False),
    }

    def work() -> Outcome:
        writers[form]()
        return {"rows": len(frame)}

    return work


def iv(who: str, rows: str) -> Outcome:
    """Two-stage least squares with two effects, errors clustered by city."""
    import numpy as np

    frame = firm_panel(int(rows), "linked")
    draw = np.random.default_rng(2)
    frame["z"] = frame[REGRESSORS[1]] + draw.normal(size=len(frame))

    regressor, controls, effects = REGRESSORS[1], REGRESSORS[2:], ["firm", "year"]

    def ours(given: pd.DataFrame) -> Outcome:
        from analysis.estimators import instrumental_variables

        found = instrumental_variables(
            given, "y", [regressor], ["z"], controls, effects, keys=effects,
            covariance={"cluster": ["city_code"]},
        )  # fmt: skip
        return {"coefficients": [float(found.coefficients[regressor])]}

    def pyfixest(given: pd.DataFrame) -> Outcome:
        import pyfixest as pf

        formula = f"y ~ {' + '.join(controls)} | {' + '.join(effects)} | {regressor} ~ z"
        fit = pf.feols(formula, given, vcov={"CRV1": "city_code"})
        return {"coefficients": [float(fit.coef()[regressor])]}

    contender = {"ours": ours, "pyfixest": pyfixest}[who]
    contender(frame.head(5_000))
    return timed(lambda: contender(frame))


PIECES: dict[str, Callable[..., Outcome]] = {
    piece.__name__: piece for piece in (write_csv, parse, read, checks, export, iv)
}

if __name__ == "__main__":
    print(json.dumps(PIECES[sys.argv[1]](*sys.argv[2:])))
