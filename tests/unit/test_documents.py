"""The documents say what is there: decisions by number, links, and the rooms and models that they name."""

from __future__ import annotations

import csv
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
PARTS = ("Question", "Choice", "Evidence", "What it changes")
PAGE_NAME = re.compile(r"([0-9]{3})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
NAMED = re.compile(r"DECISIONS ((?:[0-9]+(?:,| to| and)? ?)+)")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
TICKED = re.compile(r"`([^`\n]+)`")
MODEL = re.compile(r"(?:stg|int|idx|panel)_[a-z0-9_]+|city_[a-z0-9_]*year[a-z0-9_]*")
PLACE = re.compile(r"(?:warehouse|dbt_project|flows|analysis|expectations|tests|docs|seeds)/[A-Za-z0-9_./*<>-]*")


@cache
def tracked() -> tuple[Path, ...]:
    """Text files of the project: those that git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a clone: without git nobody can tell the project's files from others")
    return tuple(ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if (ROOT / name).is_file())


@cache
def documents() -> tuple[Path, ...]:
    return tuple(file for file in tracked() if file.suffix == ".md")


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def number(page: Path) -> int:
    found = PAGE_NAME.fullmatch(page.name)
    assert found, f"{page.name}: call a decision NNN-a-few-words.md"
    return int(found[1])


def numbers_named(text: str) -> set[int]:
    """The decisions that a text names; "33 to 36" names four."""
    found: set[int] = set()
    for run in NAMED.findall(text):
        for first, last in re.findall(r"([0-9]+)(?: to ([0-9]+))?", run):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", text_of(file), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_numbers_are_read_from_a_sentence() -> None:
    assert numbers_named("As DECISIONS 16 has it, and DECISIONS 30, 31, 32. Then 5.") == {16, 30, 31, 32}
    assert numbers_named("DECISIONS 33 to 36") == {33, 34, 35, 36}


def test_no_number_of_a_decision_is_used_twice() -> None:
    counts = Counter(number(page) for page in PAGES)
    assert [n for n, count in counts.items() if count > 1] == []
    assert set(counts) == set(range(1, max(counts) + 1)), "a number between is missing: an overturned decision keeps its page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_its_parts(page: Path) -> None:
    text = text_of(page)
    assert text.startswith(f"# {number(page)}. ")
    missing = [part for part in PARTS if not re.search(rf"^\*\*{part}[.,]", text, flags=re.MULTILINE)]
    assert missing == []
    assert len(text.splitlines()) <= 40


def test_the_index_lists_every_decision_under_its_title() -> None:
    listed = re.findall(r"^\| ([0-9]+) \| \[(.+)\]\((.+)\) \|$", text_of(DECISIONS / "README.md"), flags=re.MULTILINE)
    written = [(str(number(page)), text_of(page).splitlines()[0].split(". ", 1)[1], page.name) for page in PAGES]
    assert sorted(listed) == sorted(written)


def test_every_decision_that_the_tree_names_has_a_page() -> None:
    known = {number(page) for page in PAGES}
    unknown = {
        f"{file.relative_to(ROOT)}: {n}"
        for file in tracked()
        if file.suffix in {".py", ".sql", ".yml", ".md", ".csv", ".toml"} and file != Path(__file__).resolve()
        for n in numbers_named(text_of(file)) - known
    }
    assert unknown == set()


def test_links_of_documents_lead_somewhere() -> None:
    broken = []
    for file in documents():
        for target in LINK.findall(text_of(file)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            there = (file.parent / name).resolve() if name else file
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{file.relative_to(ROOT)}: {target}")
    assert broken == []


def test_documents_name_models_that_exist() -> None:
    models = {file.stem for file in (ROOT / "dbt_project" / "models").rglob("*") if file.suffix in {".sql", ".py"}}
    unknown = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in documents()
        if ROOT / "docs" in file.parents
        for name in TICKED.findall(text_of(file))
        if MODEL.fullmatch(name) and name not in models
    }
    assert unknown == set()


def test_documents_name_files_and_rooms_that_exist() -> None:
    """A name may hold <slug> or *, which stand for anything; seeds/ is short for dbt_project/seeds/."""
    missing = set()
    for file in documents():
        if ROOT / "docs" not in file.parents and file.name not in {"CONTRIBUTING.md", "README.md"}:
            continue
        for name in TICKED.findall(text_of(file)):
            if PLACE.fullmatch(name):
                there = "dbt_project/" + name if name.startswith("seeds/") else name
                if not any(ROOT.glob(re.sub(r"<[^>]*>", "*", there.rstrip("/")))):
                    missing.add(f"{file.relative_to(ROOT)}: {name}")
    assert missing == set()


def test_the_papers_page_names_columns_that_exist() -> None:
    with (ROOT / "dbt_project" / "seeds" / "dictionary" / "columns.csv").open(encoding="utf-8", newline="") as file:
        columns = {row["column_name"] for row in csv.DictReader(file)}
    models = {file.stem for file in (ROOT / "dbt_project" / "models").rglob("*") if file.suffix in {".sql", ".py"}}
    papers = {folder.name for folder in (ROOT / "analysis" / "papers").iterdir() if folder.is_dir()}
    named = [name for name in TICKED.findall(text_of(ROOT / "docs" / "papers.md")) if re.fullmatch(r"[a-z0-9_]*[a-z0-9]", name)]
    assert set(named) - columns - models - papers == set()
    assert [slug for slug in sorted(papers - {"__pycache__"}) if f"\n## `{slug}`\n" not in text_of(ROOT / "docs" / "papers.md")] == []
