"""Efficiency of innovation, by a stochastic frontier and by data envelopment.

digital_export_resilience, table 2. DECISIONS 36.
"""

from analysis.measures.innovation import innovation_efficiency

INPUTS = [
    "science_expenditure_cny_2000",
    "rd_expenditure_cny_2000",
    "fixed_investment_lagged_cny_2000",
    "employees_science_n",
]
OUTPUTS = ["invention_patents_in_force_n", "technology_contracts_n"]
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
        dbt.ref("int_digital_export_resilience__innovation_resource")
        .df()
        .sort_values(["city_code", "year"], ignore_index=True)
    )
    frame = frame[~frame["city_code"].isin(excluded)].reset_index(drop=True)
    result = innovation_efficiency(frame, INPUTS, OUTPUTS, unit="city_code", period="year")
    names = {
        "frontier": "innovation_allocation_sfa_index",
        "envelopment": "innovation_allocation_dea_index",
    }
    return result.rename(columns=names).round(dict.fromkeys(names.values(), 10)).astype(KEYS)
