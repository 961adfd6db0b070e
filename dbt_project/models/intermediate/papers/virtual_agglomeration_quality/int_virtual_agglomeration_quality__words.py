"""Words of virtual agglomeration in the government work report of each city and year
(virtual_agglomeration_quality). DECISIONS 25.
"""

from analysis.measures.words import words_by_text


def model(dbt, session):
    dbt.config(
        contract={"enforced": False}
    )  # dbt has contracts for SQL only: see columns_as_declared
    listed = dbt.ref("virtual_agglomeration_words").df()
    chosen = dbt.ref("int_reports__city_year").df()
    chosen = chosen[~chosen["is_text_shared"].astype(bool)].drop(columns="is_text_shared")
    texts = dbt.ref("stg_reports__texts").df().drop_duplicates(["file_id", "line"])
    texts = texts[["file_id", "line", "report_text"]].rename(columns={"report_text": "text"})
    return words_by_text(
        chosen.merge(texts, on=["file_id", "line"], validate="one_to_one"), sorted(listed["word"])
    )
