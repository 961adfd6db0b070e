"""How often words of a list occur in texts, counted by segmentation (virtual_agglomeration_quality,
robustness by government work reports).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from jieba import Tokenizer

# Outweighs any other way of cutting: the listed words are cut out wherever they stand, the longest
# that fits first.
FREQUENCY = 100_000_000


@cache
def _general_words() -> tuple[dict[str, int], int]:
    """jieba's own dictionary; read directly, since its cache lies in a folder that anybody may
    write to.
    """
    tokenizer = Tokenizer()
    frequencies, total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    return frequencies, total


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer()
    frequencies, tokenizer.total = _general_words()
    tokenizer.FREQ = dict(frequencies)
    tokenizer.initialized = True
    for word in words:
        tokenizer.add_word(word, FREQUENCY * len(word) ** 2)
    return tokenizer


def word_counts(texts: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Occurrences of listed words in each text.

    A text is cut into words by jieba (the most probable path through its dictionary and the list,
    no guessing of unknown words), and the pieces that are listed are counted. A listed word inside
    a longer listed one is not counted: 互联网 in 工业互联网 is one word.

    Parameters
    ----------
    texts : any number of texts
    words : the list, without repetitions; Latin letters count whatever their case

    Returns
    -------
    counts, shape (texts,), int64

    Raises
    ------
    ValueError : an empty list, or a word that is blank or listed twice.
    """
    listed = [word.strip().lower() for word in words]
    if not listed or any(not word for word in listed):
        raise ValueError(
            "the list of words is empty, or holds a blank word. Name the words to count."
        )
    if len(set(listed)) < len(listed):
        twice = sorted({word for word in listed if listed.count(word) > 1})
        raise ValueError(f"the list of words holds {twice} twice. Keep one of each.")
    tokenizer, wanted = _tokenizer(listed), frozenset(listed)
    counts = [
        sum(piece in wanted for piece in tokenizer.cut(text.lower(), HMM=False)) for text in texts
    ]
    return np.array(counts, dtype=np.int64)


def words_by_text(reports: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Reports (`city_code`, `year`, `text`) with `words_n` in place of their text, in the order of
    city and year.
    """
    rows = reports.sort_values(["city_code", "year"], kind="stable", ignore_index=True)
    texts = rows["text"].tolist()
    counted = {
        "words_n": word_counts(texts, words),
        "characters_n": np.array([len(text) for text in texts], dtype=np.int64),
    }
    return rows[["city_code", "year"]].astype({"city_code": "str"}).assign(**counted)
