"""Density of related products in each city's exports, proximity of headings as in 2008-2010.
DECISIONS 34.
"""

from analysis.measures.relatedness import relatedness_density

KEYS = {
    "city_code": "str",
    "year": "int16",
}  # said, since a table without rows does not show its types


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    frame = (
        dbt.ref("int_digital_export_resilience__heading_year")
        .df()
        .sort_values(["city_code", "year", "hs4_code"], ignore_index=True)
    )
    density = relatedness_density(
        frame,
        unit="city_code",
        period="year",
        product="hs4_code",
        value="export_value_usd",
        base=range(2008, 2011),
    )
    return density.rename(columns={"density": "relatedness_density"}).astype(KEYS)
