"""One row a two-digit industry and method: elasticities of value added with respect to labour and
capital. DECISIONS 27.
"""

from analysis.measures.industry_productivity import elasticities

KEYS = ["industry_code", "firm_id", "year"]


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    firms = dbt.ref("int_firms__enterprise").df().sort_values(KEYS)
    found = elasticities(firms[firms["value_added_method"] != "by_share"])
    return found.astype(
        {"industry_code": "str", "estimation_method": "str"}
    )  # an empty frame has no types of its own
