"""Firms matched between customs and the enterprise survey, against the simulated world's truth of
who is who.
"""

from __future__ import annotations

import pandas as pd

from analysis.report.recovery.release import truth
from warehouse import connect
from warehouse.settings.config import Config

FOUND = "select * from intermediate.int_firms__customs_match"
SURVEYED = """
    select firm_id, year from intermediate.int_firms__judged where set_aside_reason is null
"""
TRADING = "select firm_code, year from intermediate.int_trade__firm_postcode"


def matches(config: Config) -> pd.DataFrame:
    """One row a way in which surveys show who a firm is, a method that finds it, and one for all:
    firm-years that are in both sources, that were found, that were found and are true, and that
    int_firms__customs_match holds as ambiguous; precision (true of found), recall (true of both).

    Raises
    ------
    CitytradeError : a configuration without a simulated world.
    """
    rows = pd.DataFrame(truth(config)["firm_matches"]).rename(
        columns={"survey_code": "firm_id", "customs_code": "firm_code"}
    )
    with connect(config) as connection:
        found, surveyed, trading = (
            connection.execute(query).df() for query in (FOUND, SURVEYED, TRADING)
        )
    keys = ["firm_id", "firm_code", "year"]
    both = rows.merge(surveyed, on="firm_id").merge(trading, on=["firm_code", "year"])
    both = both[[*keys, "shown_by"]]
    joined = both.merge(found, on=keys, how="outer", indicator=True)
    joined["is_both"] = joined["_merge"] != "right_only"
    joined["is_found"] = joined["match_method"].notna() & joined["match_problem"].isna()
    joined["is_ambiguous"] = joined["match_problem"].notna()
    lines = [
        _line(f"{by}: {name}", part)
        for by in ("shown_by", "match_method")
        for name, part in joined.groupby(by)
    ]
    return pd.DataFrame([*lines, _line("all", joined)])


def _line(name: str, rows: pd.DataFrame) -> dict[str, object]:
    true_n = int((rows["is_both"] & rows["is_found"]).sum())
    both_n, found_n = int(rows["is_both"].sum()), int(rows["is_found"].sum())
    return {
        "firm-years": name,
        "in both": both_n,
        "found": found_n,
        "true": true_n,
        "ambiguous": int(rows["is_ambiguous"].sum()),
        "precision": true_n / found_n if found_n else float("nan"),
        "recall": true_n / both_n if both_n else float("nan"),
    }
