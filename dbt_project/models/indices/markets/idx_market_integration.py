"""Segmentation and integration of each city's market by relative prices.

virtual_agglomeration_quality, eq. 24. DECISIONS 26, 57.
"""

from analysis.measures.market import market_integration


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    prices = (
        dbt.ref("int_prices__category")
        .df()
        .rename(columns={"category_price_index_pct": "index_pct"})
    )
    neighbours = dbt.ref("int_geography__neighbour").df()
    return market_integration(prices, neighbours).round(14)
