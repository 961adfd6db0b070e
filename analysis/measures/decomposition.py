"""Decompositions of the change of a weighted mean: what continuing, entering and leaving items
contribute.

With shares s and values v of items (products of a city), S the items of both years, E those of the
second year only, X those of the first only:

Melitz and Polanec (2015), virtual_agglomeration_quality equation 23, with a bar for plain means
over S and V_S, V_E, V_X the sets' own weighted means

    within  = mean_S v2 - mean_S v1
    between = (V_S2 - mean_S v2) - (V_S1 - mean_S v1)
    entry   = s_E2 (V_E2 - V_S2)                        exit    = s_X1 (V_S1 - V_X1)

Griliches and Regev (1995), with M the mean of both years' weighted means

    within  = sum_S (s1 + s2) / 2 (v2 - v1)
    between = sum_S (s2 - s1) ((v1 + v2) / 2 - M)
    entry   = sum_E s2 (v2 - M)                         exit    = -sum_X s1 (v1 - M)

Each four add up to total = V2 - V1; gap = between + entry + exit is what reallocation contributes
(virtual_agglomeration_quality, table 7).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

EFFECTS = ("within", "between", "entry", "exit")


def decompose_change(
    frame: pd.DataFrame, group: Sequence[str], item: str, weight: str, value: str
) -> pd.DataFrame:
    """Both decompositions of each group's change from the year before.

    Parameters
    ----------
    frame : one row a group, item and `year`; rows with a missing value, or a weight that is not
        above zero, count as absent
    group, item, weight, value : names of columns; `weight` in any unit (exports), shares are taken
        within group and year

    Returns
    -------
    One row a group and year in which the group has items and had some the year before, sorted: the
    group's columns, `year`, `level` (V2), `total`, `within`, `between`, `entry`, `exit`, `gap`, the
    same four and gap with `griliches_regev_` before, `continuing_n`, `entering_n`, `leaving_n`. An
    effect of an empty set of entering or leaving items is 0. Without any continuing item the four
    effects are NaN: nothing says what stayed.

    Raises
    ------
    ValueError : an item that stands twice in a group and year
    """
    known = frame[
        np.isfinite(frame[value].to_numpy(np.float64, na_value=np.nan))
        & (frame[weight].to_numpy(np.float64, na_value=np.nan) > 0)
    ]
    keys = [*group, "year"]
    if known.duplicated([*keys, item]).any():
        raise ValueError(f"a {item} stands twice in one of {', '.join(keys)}: add it up first.")
    rows = (
        known[[*keys, item]]
        .assign(v=known[value].astype("float64"), s=known[weight].astype("float64"))
        .sort_values([*keys, item], ignore_index=True)
    )
    rows["s"] = rows["s"] / rows.groupby(keys)["s"].transform("sum")
    years = rows[keys].drop_duplicates()
    before = rows.assign(year=rows["year"] + 1).merge(years, on=keys)
    now = rows.merge(years.assign(year=years["year"] + 1), on=keys)
    both = before.merge(now, on=[*keys, item], how="outer", suffixes=("1", "2")).sort_values(
        [*keys, item], ignore_index=True
    )
    return _effects(both, keys)


def _effects(both: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """From items with shares s1, s2 and values v1, v2 (NaN where absent) to effects by key."""
    by = _sums(both, keys)
    middle = (by["V1"] + by["V2"]) / 2
    found = pd.DataFrame({"level": by["V2"], "total": by["V2"] - by["V1"]})
    found = found.assign(**_melitz_polanec(by), **_griliches_regev(by, middle))
    for prefix in ("", "griliches_regev_"):
        found[f"{prefix}gap"] = (
            found[f"{prefix}between"] + found[f"{prefix}entry"] + found[f"{prefix}exit"]
        )
    counts = {"continuing_n": "N", "entering_n": "EN", "leaving_n": "XN"}
    return found.assign(
        **{name: by[part].astype("int64") for name, part in counts.items()}
    ).reset_index()


def _sums(both: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """By key: weighted sums V of both years, of those that stay (S), enter (E) and leave (X), their
    shares and counts, and the products of Griliches and Regev (G).
    """
    stays, enters, leaves = (
        both["s1"].notna() & both["s2"].notna(),
        both["s1"].isna(),
        both["s2"].isna(),
    )
    s1, s2, v1, v2 = (both[name].fillna(0.0) for name in ("s1", "s2", "v1", "v2"))
    sums = {
        "V1": s1 * v1, "V2": s2 * v2, "SV1": s1 * v1 * stays, "SV2": s2 * v2 * stays,
        "S1": s1 * stays, "S2": s2 * stays,
        "N": stays, "M1": v1 * stays, "M2": v2 * stays, "EV": s2 * v2 * enters, "ES": s2 * enters,
        "XV": s1 * v1 * leaves, "XS": s1 * leaves,
        "GW": (s1 + s2) / 2 * (v2 - v1) * stays, "GB": (s2 - s1) * (v1 + v2) / 2 * stays,
        "EN": enters, "XN": leaves,
    }  # fmt: skip
    parts = {name: part.astype("float64") for name, part in sums.items()}
    return (
        pd.DataFrame({**{key: both[key] for key in keys}, **parts}).groupby(keys, sort=True).sum()
    )


def _melitz_polanec(by: pd.DataFrame) -> dict[str, pd.Series]:
    n = by["N"].where(by["N"] > 0)
    mean1, mean2 = by["M1"] / n, by["M2"] / n
    stay1, stay2 = (by[f"SV{at}"] / by[f"S{at}"].where(by["N"] > 0) for at in (1, 2))
    return {
        "within": mean2 - mean1,
        "between": (stay2 - mean2) - (stay1 - mean1),
        "entry": by["EV"] - by["ES"] * stay2,
        "exit": by["XS"] * stay1 - by["XV"],
    }


def _griliches_regev(by: pd.DataFrame, middle: pd.Series) -> dict[str, pd.Series]:
    found = {
        "within": by["GW"],
        "between": by["GB"] - (by["S2"] - by["S1"]) * middle,
        "entry": by["EV"] - by["ES"] * middle,
        "exit": by["XS"] * middle - by["XV"],
    }
    stays = by["N"] > 0
    return {f"griliches_regev_{name}": effect.where(stays) for name, effect in found.items()}
