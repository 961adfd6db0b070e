"""First principal component of the seven indicators of digital_export_resilience's table 1, over
rows that have all of them that any city has.

DECISIONS 35, 60.
"""

from analysis.measures.components import principal_component_index

INDICATORS = [
    "mobile_users_per_100",
    "broadband_users_per_100",
    "internet_patents_granted_n",
    "science_share",
    "it_employees_n",
    "telecom_revenue_per_head_cny",
    "digital_finance_index",
]
KEYS = {
    "city_code": "str",
    "year": "int16",
}  # said, since a table without rows does not show its types


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    excluded = dbt.ref("digital_exclusions").df()["city_code"]
    frame = (
        dbt.ref("int_digital_export_resilience__indicator")
        .df()
        .sort_values(["city_code", "year"], ignore_index=True)
    )
    known = [name for name in INDICATORS if frame[name].notna().any()] or INDICATORS
    frame = frame[~frame["city_code"].isin(excluded)].dropna(subset=known)
    index = principal_component_index(frame, known).index
    return (
        frame[["city_code", "year"]]
        .assign(digital_economy_pca_index=index.round(10))
        .dropna()
        .reset_index(drop=True)
        .astype(KEYS)
    )
