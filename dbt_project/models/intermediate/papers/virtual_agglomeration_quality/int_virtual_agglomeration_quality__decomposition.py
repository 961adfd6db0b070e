"""A city's change of quality from the year before, by what its continuing, new and former products
contribute.

virtual_agglomeration_quality, equation 23. DECISIONS 22.
"""

from analysis.measures.decomposition import decompose_change

NAMES = {
    "level": "city_quality_index",
    **{name: f"quality_{name}" for name in ("total", "within", "between", "entry", "exit", "gap")},
}


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    products = (
        dbt.ref("int_virtual_agglomeration_quality__city_hs6")
        .order("city_code, year, hs6_code")
        .df()
    )
    change = decompose_change(
        products, ["city_code"], "hs6_code", "quality_value_usd", "quality_index"
    ).rename(columns=NAMES)
    return change.astype({"city_code": "str"})  # an empty frame has no type of its own
