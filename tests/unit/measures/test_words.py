from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measures.words import word_counts, words_by_text

SEED = (
    Path(__file__).resolve().parents[3]
    / "dbt_project"
    / "seeds"
    / "judgments"
    / "virtual_agglomeration_words.csv"
)
WORDS = ["互联网", "工业互联网", "电子商务", "云计算", "互联网+", "5G", "电商", "跨境电商"]


def test_words_counted_by_hand():
    texts = [
        # three: 互联网 in 工业互联网 is not counted again
        "大力发展电子商务，推进云计算和工业互联网。",
        "互联网企业聚集，互联网与跨境电商融合。",  # 互联网 twice, 跨境电商 once
        "推进“互联网+”行动和5g建设。",  # 互联网+ and 5G
        "农业生产保持稳定。",
        "",
    ]
    assert word_counts(texts, WORDS).tolist() == [3, 3, 2, 0, 0]


def test_every_listed_word_is_found_alone_and_in_a_sentence():
    with SEED.open(encoding="utf-8", newline="") as handle:
        words = [row["word"] for row in csv.DictReader(handle)]
    assert word_counts(words, words).tolist() == [1] * len(words)
    assert word_counts([f"加快推进{word}等工作" for word in words], words).tolist() == [1] * len(
        words
    )


def test_order_of_words_and_texts_changes_nothing():
    texts = ["电子商务和云计算", "互联网", "电商与跨境电商"]
    counts = word_counts(texts, WORDS)
    assert word_counts(texts[::-1], WORDS[::-1]).tolist() == counts[::-1].tolist()
    assert word_counts(["".join(texts)], WORDS).sum() == counts.sum()


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "is empty"), (["互联网", " "], "blank word"), (["5G", "5g"], r"holds \['5g'\] twice")],
)
def test_a_list_that_cannot_be_meant_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        word_counts(["互联网"], words)


def test_reports_come_back_by_city_and_year():
    reports = pd.DataFrame(
        {
            "city_code": ["3302", "3301", "3301"],
            "year": np.array([2010, 2011, 2010], dtype="int16"),
            "text": ["云计算", "互联网", ""],
        }
    )
    result = words_by_text(reports, WORDS)
    assert result.to_dict("list") == {
        "city_code": ["3301", "3301", "3302"],
        "year": [2010, 2011, 2010],
        "words_n": [0, 1, 1],
        "characters_n": [0, 3, 3],
    }
    assert result["year"].dtype == np.int16


def test_no_reports_give_no_rows_of_the_same_kinds():
    reports = pd.DataFrame(
        {"city_code": ["3301"], "year": np.array([2010], dtype="int16"), "text": ["云计算"]}
    )
    full, empty = words_by_text(reports, WORDS), words_by_text(reports[:0], WORDS)
    assert empty.empty
    assert empty.dtypes.tolist() == full.dtypes.tolist()
