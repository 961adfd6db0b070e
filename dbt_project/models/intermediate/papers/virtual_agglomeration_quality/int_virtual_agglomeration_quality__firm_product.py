"""Quality of what each firm exports, by product, destination and year: see
analysis.measures.quality.

virtual_agglomeration_quality, equations 18-20. DECISIONS 21.
"""

from analysis.measures.quality import quality_of_cells


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    return quality_of_cells(
        cells=dbt.ref("int_virtual_agglomeration_quality__cells")
        .order("year, hs6_id, destination_id, firm_id, city_id")
        .df(),
        products=dbt.ref("int_virtual_agglomeration_quality__product").order("hs6_id").df(),
        provinces=dbt.ref("int_virtual_agglomeration_quality__province_gdp")
        .order("province_code, year")
        .df(),
        elasticity=dbt.config.meta_get("elasticity"),
    )
