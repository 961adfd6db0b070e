"""Digital index of ecommerce_resilience's sample: the first principal component of five indicators
(table 2).
"""

from analysis.measures.components import principal_component_index
from analysis.measures.scaling import unit_range

INDICATORS = [
    "digital_finance_index",
    "mobile_users_per_100",
    "internet_users_per_100",
    "telecom_revenue_per_head_cny",
    "it_employment_share",
]
KEYS = {
    "city_code": "str",
    "year": "int16",
}  # said, since a table without rows does not show its types


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    sample = dbt.ref("int_ecommerce_resilience__sample").df()["city_code"]
    variables = dbt.ref("int_ecommerce_resilience__variable").df()
    kept = variables[variables["city_code"].isin(sample) & variables["variable"].isin(INDICATORS)]
    wide = (
        kept.pivot(index=list(KEYS), columns="variable", values="value")
        .reindex(columns=INDICATORS)
        .reset_index()
        .sort_values(list(KEYS))
    )
    wide["digital_level_index"] = principal_component_index(wide, INDICATORS).index.round(12)
    wide["digital_level_scaled_index"] = unit_range(wide["digital_level_index"]).round(12)
    return wide[[*KEYS, "digital_level_index", "digital_level_scaled_index"]].astype(KEYS)
