"""Writes simulated work reports of city governments: every text is invented, its words are those of
the list.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from warehouse.project import SEEDS
from warehouse.simulate.model.geography import City, read_reference

WORDS = SEEDS / "judgments" / "virtual_agglomeration_words.csv"
REPORT_YEARS = range(2005, 2017)
LOOSE_YEAR, LOOSE_N = 2016, 5
SENTENCES = (
    "一年来，全市上下齐心协力，经济运行总体平稳，各项工作取得新的进展。",
    "财政收入稳步增长，民生支出占比继续提高。",
    "农业生产保持稳定，粮食产量再获丰收。",
    "基础设施不断完善，城市面貌持续改善。",
    "教育、卫生、文化事业协调发展，群众生活水平进一步提高。",
    "同时也要看到，发展中还有不少困难，结构调整任务仍然艰巨。",
    "新的一年，要坚持稳中求进，扎实做好各项工作。",
    "要加强生态环境保护，推进污染防治。",
)
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def write_reports(
    folder: Path, cities: tuple[City, ...], rng: np.random.Generator
) -> list[dict[str, object]]:
    """A zip archive a year, and in the last year some loose files in GB18030; returns how many
    listed words each report holds.
    """
    words = [row["word"] for row in read_reference(WORDS)]
    truth: list[dict[str, object]] = []
    for year in REPORT_YEARS:
        packed: dict[str, str] = {}
        for i, city in enumerate(cities):
            text, count = _report(words, year, rng)
            name = f"{city.name_zh}{year}年政府工作报告.txt"
            truth.append({"city_code": city.city_code, "year": year, "words_n": count})
            if year == LOOSE_YEAR and i < LOOSE_N:
                (folder / f"SIMULATED_{name}").write_bytes(text.encode("gb18030"))
            else:
                packed[name] = text
        _write_archive(folder / f"SIMULATED_政府工作报告_{year}.zip", packed)
    return truth


def _report(words: list[str], year: int, rng: np.random.Generator) -> tuple[str, int]:
    count = int(rng.poisson(3.0 * np.exp(0.12 * (year - REPORT_YEARS[0]))))
    chosen = [words[k] for k in rng.integers(0, len(words), count)]
    sentences = [SENTENCES[k] for k in rng.permutation(len(SENTENCES))[:5]]
    named = [f"着力推进{'、'.join(chosen[k : k + 4])}。" for k in range(0, count, 4)]
    return (
        "\n".join(["政府工作报告（模拟文本，并非真实报告）", "各位代表：", *sentences, *named, ""]),
        count,
    )


def _write_archive(path: Path, texts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode("utf-8"), compresslevel=1)
