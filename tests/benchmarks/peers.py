"""The customs panel as an expert in polars and an expert in pandas would write it, from the same
Parquet.

Both follow the rules of the dbt models (DECISIONS 6 to 10) with the models' own small tables: a
place is matched once per distinct text, a postcode classified once per distinct (year, postcode),
an empty year takes its firm's nearest year. Each returns the rows of int_trade__city_year:
city_code, year, value in US cents, HS2002 products, destinations, exporters, and the part of the
value whose postcode was filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Row = tuple[str, int, int, int, int, int, int]
VALID_POSTCODE = r"^[0-9]{6}$"


def place_cities(
    places: Iterable[str], names: Iterable[Mapping[Any, Any]], cities: Iterable[Mapping[Any, Any]]
) -> dict[str, str]:
    """Production place -> city: the longest known name that it begins with, after a province name
    before it. Others are left out.
    """
    by_name: dict[tuple[str, str], str | None] = {}
    for row in sorted(names, key=lambda row: row["last_year"]):
        by_name[row["province_code"], row["name_zh"]] = by_name["", row["name_zh"]] = row[
            "city_code"
        ]
    provinces = {(row["province_name_zh"], row["province_code"]) for row in cities}
    kinds = ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市")
    provinces |= {
        (name.removesuffix(next(kind for kind in kinds if name.endswith(kind))), code)
        for name, code in provinces
    }

    def longest(province: str, text: str) -> tuple[str, str] | None:
        return next(
            (
                (province, text[:n])
                for n in range(len(text), 0, -1)
                if (province, text[:n]) in by_name
            ),
            None,
        )

    found: dict[str, str] = {}
    for place in set(places):
        stripped = [
            longest(code, place.removeprefix(name))
            for name, code in provinces
            if place.startswith(name)
        ]
        key = max(
            (hit for hit in stripped if hit), key=lambda hit: len(hit[1]), default=None
        ) or longest("", place)
        city = by_name[key] if key else None
        if city is not None:
            found[place] = city
    return found


def polars_panel(customs: Path, reference: Path) -> list[Row]:
    """Lazy queries on the streaming engine, texts left behind as early as they can be."""
    import polars as pl

    small = {file.stem: pl.read_parquet(file) for file in reference.glob("*.parquet")}
    records = pl.scan_parquet(customs / "*.parquet")
    texts = (
        records.select("production_place")
        .unique()
        .collect(engine="streaming")["production_place"]
        .drop_nulls()
    )
    matched = place_cities(texts, small["city_names"].to_dicts(), small["cities"].to_dicts())
    places = pl.LazyFrame(
        {"production_place": list(matched), "city": [int(code) for code in matched.values()]},
        schema_overrides={"city": pl.Int16},
    )
    country = pl.col("country_code").cast(pl.Int16).alias("destination")
    by_code, by_name = (
        small["countries"].select(country, partner="country_code"),
        small["country_names"].select(country, partner="name_zh"),
    )
    products = small["int_time__year"].join(
        small["int_concordance__hs2002"], left_on="hs_revision", right_on="revision"
    )
    districts = _polars_district_firms(records, small["int_geography__postcode_prefix"])

    panel = (
        records.filter(pl.col("flow") == "export")
        .with_columns(
            partner=pl.coalesce("partner_code", "partner_name"),
            hs6_code=pl.col("hs8").str.slice(0, 6),
        )
        .join(places, on="production_place")
        .join(pl.concat([by_code, by_name]).lazy(), on="partner")
        .join(
            products.lazy().select(
                "year", "hs6_code", product=pl.col("hs2002_code").cast(pl.Int32)
            ),
            on=["year", "hs6_code"],
        )
        .join(
            districts.lazy(), on=["firm_code", "year"], how="left"
        )  # an inner join here may be reordered, and then needs 20 GB
        .filter(pl.col("firm").is_not_null())
        .group_by("city", "year")
        .agg(
            pl.col("value_cents").sum(),
            pl.col("product", "destination", "firm").n_unique(),
            filled=(pl.col("value_cents") * pl.col("is_filled")).sum(),
        )
        .collect(engine="streaming")
    )
    return [(f"{city:04d}", *rest) for city, *rest in panel.rows()]


def _polars_district_firms(records: pl.LazyFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Firms (firm_code, a number for it, year, is_filled) whose postcode of the year, their own or
    the nearest year's, lies in a municipal district.
    """
    import polars as pl

    stated = records.drop_nulls("firm_code").group_by("firm_code", "year", "postcode").len()
    valid = pl.col("postcode").str.contains(VALID_POSTCODE) & (pl.col("postcode") != "000000")
    number = pl.when(valid).then(pl.col("postcode").cast(pl.Int64, strict=False))
    score = (
        pl.col("len").cast(pl.Int64) * 1_000_000 + 999_999 - number
    ).max()  # more records first, then the smaller postcode
    firm_years = (
        stated.group_by("firm_code", "year")
        .agg(postcode=999_999 - score % 1_000_000)
        .collect(engine="streaming")
    )
    own = firm_years.drop_nulls("postcode")
    borrowed = (
        firm_years.filter(pl.col("postcode").is_null())
        .select("firm_code", "year")
        .join(own, on="firm_code", suffix="_given")
        .sort((pl.col("year") - pl.col("year_given")).abs(), "year_given")
        .unique(["firm_code", "year"], keep="first", maintain_order=True)
        .select("firm_code", "year", "postcode")
    )
    known = pl.concat([own.with_columns(is_filled=False), borrowed.with_columns(is_filled=True)])
    distinct = known.select("year", "postcode").unique()
    for digits in (6, 5, 4):
        prefix = prefixes.filter(pl.col("digits_n") == digits)
        prefix = prefix.select(
            "year",
            pl.col("is_district").alias(f"district_{digits}"),
            prefix=pl.col("prefix").cast(pl.Int64),
        )
        distinct = distinct.with_columns(prefix=pl.col("postcode") // 10 ** (6 - digits)).join(
            prefix, on=["year", "prefix"], how="left"
        )
    inside = distinct.filter(pl.coalesce("district_6", "district_5", "district_4"))
    numbers = known.select("firm_code").unique().with_row_index("firm")
    return (
        known.join(inside, on=["year", "postcode"], how="semi")
        .join(numbers, on="firm_code")
        .select("firm_code", "firm", "year", "is_filled")
    )


def pandas_panel(customs: Path, reference: Path) -> list[Row]:
    """Year by year, every text a category as it comes from the file, so that what is decided per
    text is decided once per category.
    """
    import pandas as pd

    small = {file.stem: pd.read_parquet(file) for file in reference.glob("*.parquet")}
    files = sorted(customs.glob("*.parquet"))
    districts = _pandas_district_firms(files, small["int_geography__postcode_prefix"])
    names, cities = (
        small[name].astype(object).where(small[name].notna(), None).to_dict("records")
        for name in ("city_names", "cities")
    )
    partners = dict(
        zip(small["country_names"]["name_zh"], small["country_names"]["country_code"], strict=True)
    )
    partners |= {code: code for code in small["countries"]["country_code"]}
    revisions = small["int_time__year"].set_index("year")["hs_revision"]
    by_revision = (
        small["int_concordance__hs2002"].set_index("hs6_code").groupby("revision")["hs2002_code"]
    )
    products = {revision: codes.to_dict() for revision, codes in by_revision}
    texts = ["flow", "firm_code", "production_place", "partner_code", "partner_name", "hs8"]

    matched: dict[str, str] = {}
    result: list[Row] = []
    for file in files:
        frame = pd.read_parquet(
            file, columns=["year", *texts, "value_cents"], read_dictionary=texts
        )
        year = int(frame["year"].iloc[0])
        matched |= place_cities(
            set(frame["production_place"].cat.categories) - matched.keys(), names, cities
        )
        of_revision = products[revisions[year]]
        without_code = frame["partner_code"].cat.codes < 0
        cells = pd.DataFrame(
            {
                "city": _recode(frame["production_place"], matched),
                "product": _recode(
                    frame["hs8"],
                    {code: of_revision.get(code[:6]) for code in frame["hs8"].cat.categories},
                ),
                "destination": (
                    _recode(frame["partner_code"], partners).where(
                        ~without_code, _recode(frame["partner_name"], partners)
                    )
                ),
                "firm": frame["firm_code"].cat.codes,
                "value_cents": frame["value_cents"],
                "filled": (
                    frame["value_cents"].where(_recode(frame["firm_code"], districts[year]) == 1, 0)
                ),
            }
        )
        kept = (frame["flow"] == "export") & (_recode(frame["firm_code"], districts[year]) >= 0)
        by_city = cells[
            kept & (cells["city"] >= 0) & (cells["product"] >= 0) & (cells["destination"] >= 0)
        ].groupby("city")
        panel = by_city.agg(
            {
                "value_cents": "sum",
                "product": "nunique",
                "destination": "nunique",
                "firm": "nunique",
                "filled": "sum",
            }
        )
        result += [(f"{row[0]:04d}", year, *row[1:]) for row in panel.itertuples(name=None)]
    return result


def _recode(column: pd.Series, to: Mapping[str, Any]) -> pd.Series:
    """A number for each row, -1 where `to` knows none; each category is looked up once."""
    import numpy as np
    import pandas as pd

    known = [
        -1 if (number := to.get(text)) is None else int(number) for text in column.cat.categories
    ]
    return pd.Series(
        np.array([*known, -1], dtype=np.int32)[column.cat.codes], index=column.index
    )  # the code of a missing text is -1: the last


def _pandas_district_firms(files: list[Path], prefixes: pd.DataFrame) -> dict[int, dict[str, int]]:
    """Year -> firms whose postcode of the year lies in a municipal district -> 0 where it is their
    own, 1 where the nearest year's.
    """
    import pandas as pd

    firm_years = pd.concat([_pandas_firm_postcodes(file) for file in files], ignore_index=True)
    own, gaps = (
        firm_years[firm_years["postcode"] >= 0],
        firm_years.loc[firm_years["postcode"] < 0, ["firm_code", "year"]],
    )
    borrowed = gaps.merge(own, on="firm_code", suffixes=("", "_given"))
    borrowed["distance"] = (borrowed["year"] - borrowed["year_given"]).abs()
    borrowed = borrowed.sort_values(["distance", "year_given"]).drop_duplicates(
        ["firm_code", "year"]
    )
    known = pd.concat(
        [own.assign(filled=0), borrowed[["firm_code", "year", "postcode"]].assign(filled=1)],
        ignore_index=True,
    )
    distinct = known[["year", "postcode"]].drop_duplicates()
    distinct["inside"] = pd.Series(index=distinct.index, dtype="boolean")
    for digits in (6, 5, 4):
        deciding = prefixes[prefixes["digits_n"] == digits]
        key = deciding["year"].astype(int) * 1_000_000 + deciding["prefix"].astype(int)
        look_up = pd.Series(deciding["is_district"].to_numpy("bool"), index=key, dtype="boolean")
        distinct["inside"] = distinct["inside"].fillna(
            (distinct["year"] * 1_000_000 + distinct["postcode"] // 10 ** (6 - digits)).map(look_up)
        )
    inside = known.merge(distinct[distinct["inside"].fillna(False)], on=["year", "postcode"])
    return {
        year: dict(zip(firms["firm_code"], firms["filled"], strict=True))
        for year, firms in inside.groupby("year")
    }  # type: ignore[misc]


def _pandas_firm_postcodes(file: Path) -> pd.DataFrame:
    """One year's firms with the valid postcode that most of their records give (ties: the
    smallest), -1 without any.
    """
    import pandas as pd

    frame = pd.read_parquet(
        file, columns=["year", "firm_code", "postcode"], read_dictionary=["firm_code", "postcode"]
    )
    texts = frame["postcode"].cat.categories
    number = (
        pd.Series(texts, dtype="str")
        .where(texts.str.fullmatch(VALID_POSTCODE) & (texts != "000000"), "-1")
        .astype(int)
    )
    coded = pd.DataFrame(
        {
            "firm": frame["firm_code"].cat.codes,
            "postcode": _recode(frame["postcode"], dict(zip(texts, number, strict=True))),
        }
    )
    stated = coded[coded["firm"] >= 0].value_counts(sort=False).reset_index(name="records")
    stated.loc[stated["postcode"] < 0, "records"] = 0
    best = stated.sort_values(
        ["firm", "records", "postcode"], ascending=[True, False, True]
    ).drop_duplicates("firm")
    firms = frame["firm_code"].cat.categories[best["firm"]]
    return pd.DataFrame(
        {
            "firm_code": firms,
            "year": int(frame["year"].iloc[0]),
            "postcode": best["postcode"].to_numpy(),
        }
    )
