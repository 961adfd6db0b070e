"""The documents say what is there: decisions by number, links, rooms, models and columns."""

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
WITH_TEXT = {".py", ".sql", ".yml", ".md", ".csv", ".toml"}
PAGE_NAME = re.compile(r"([0-9]{3})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
NAMED = re.compile(r"DECISIONS ((?:[0-9]+(?:,| to| and)? ?)+)")
NAME = re.compile(r"[a-z0-9_]*[a-z0-9]")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
TICKED = re.compile(r"`([^`\n]+)`")
MODEL = re.compile(r"(?:stg|int|idx|panel)_[a-z0-9_]+|city_[a-z0-9_]*year[a-z0-9_]*")
ROOMS = "warehouse|dbt_project|flows|analysis|expectations|tests|docs|seeds"
PLACE = re.compile(rf"(?:{ROOMS})/[A-Za-z0-9_./*<>-]*")


@cache
def tracked() -> tuple[Path, ...]:
    """Text files of the project: those that git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a clone: without git nobody can tell the project's files from others")
    files = (ROOT / name for name in sorted(set(listed.stdout.split("\0"))))
    return tuple(file for file in files if file.is_file())


@cache
def documents() -> tuple[Path, ...]:
    return tuple(file for file in tracked() if file.suffix == ".md")


@cache
def models() -> frozenset[str]:
    files = (ROOT / "dbt_project" / "models").rglob("*")
    return frozenset(file.stem for file in files if file.suffix in {".sql", ".py"})


def papers() -> set[str]:
    """Slugs: a folder a paper, which has at least the statistics that were printed."""
    folder = ROOT / "analysis" / "papers"
    return {file.parent.name for file in folder.glob("*/published_statistics.csv")}


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
    assert numbers_named("As DECISIONS 16 has it, and DECISIONS 30, 31. Then 5.") == {16, 30, 31}
    assert numbers_named("DECISIONS 33 to 36") == {33, 34, 35, 36}


def test_no_number_of_a_decision_is_used_twice() -> None:
    counts = Counter(number(page) for page in PAGES)
    assert [n for n, count in counts.items() if count > 1] == []
    # An overturned decision keeps its page, so no number between is missing.
    assert set(counts) == set(range(1, max(counts) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_has_its_number_and_its_parts(page: Path) -> None:
    text = text_of(page)
    assert text.startswith(f"# {number(page)}. ")
    assert [part for part in PARTS if not re.search(rf"(?m)^\*\*{part}[.,]", text)] == []
    assert len(text.splitlines()) <= 40


def test_the_index_lists_every_decision_under_its_title() -> None:
    index = text_of(DECISIONS / "README.md")
    listed = re.findall(r"(?m)^\| ([0-9]+) \| \[(.+)\]\((.+)\) \|$", index)
    written = []
    for page in PAGES:
        title = text_of(page).splitlines()[0].split(". ", 1)[1]
        written.append((str(number(page)), title, page.name))
    assert sorted(listed) == sorted(written)


def test_every_decision_that_the_tree_names_has_a_page() -> None:
    known = {number(page) for page in PAGES}
    unknown = []
    for file in tracked():
        if file.suffix in WITH_TEXT and file != Path(__file__).resolve():
            named = numbers_named(text_of(file))
            unknown += [f"{file.relative_to(ROOT)}: {n}" for n in sorted(named - known)]
    assert unknown == []


def test_links_of_documents_lead_somewhere() -> None:
    broken = []
    for file in documents():
        for target in LINK.findall(text_of(file)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            there = (file.parent / name).resolve() if name else file
            is_lost = there.suffix == ".md" and anchor and anchor not in anchors(there)
            if not there.exists() or is_lost:
                broken.append(f"{file.relative_to(ROOT)}: {target}")
    assert broken == []


def test_documents_name_models_that_exist() -> None:
    unknown = []
    for file in documents():
        if ROOT / "docs" in file.parents:
            named = {name for name in TICKED.findall(text_of(file)) if MODEL.fullmatch(name)}
            unknown += [f"{file.relative_to(ROOT)}: {name}" for name in sorted(named - models())]
    assert unknown == []


def test_documents_name_files_and_rooms_that_exist() -> None:
    """A name may hold <slug> or *, for anything; seeds/ is short for dbt_project/seeds/."""
    missing = []
    for file in documents():
        if ROOT / "docs" in file.parents or file.name in {"CONTRIBUTING.md", "README.md"}:
            for name in filter(PLACE.fullmatch, TICKED.findall(text_of(file))):
                there = f"dbt_project/{name}" if name.startswith("seeds/") else name
                if not any(ROOT.glob(re.sub(r"<[^>]*>", "*", there.rstrip("/")))):
                    missing.append(f"{file.relative_to(ROOT)}: {name}")
    assert missing == []


def test_the_papers_page_names_columns_that_exist() -> None:
    dictionary = ROOT / "dbt_project" / "seeds" / "dictionary" / "columns.csv"
    with dictionary.open(encoding="utf-8", newline="") as file:
        columns = {row["column_name"] for row in csv.DictReader(file)}
    named = set(filter(NAME.fullmatch, TICKED.findall(text_of(ROOT / "docs" / "papers.md"))))
    assert named - columns - models() - papers() == set()


def test_every_paper_has_its_section() -> None:
    page = text_of(ROOT / "docs" / "papers.md")
    assert papers()
    assert [slug for slug in sorted(papers()) if f"\n## `{slug}`\n" not in page] == []


def test_papers_are_named_by_slug_and_never_by_letter() -> None:
    letter = re.compile(r"\b[Pp]apers? [A-E]\b")
    page = ROOT / "docs" / "papers.md"
    named = [
        file.relative_to(ROOT).as_posix()
        for file in tracked()
        if file.suffix in WITH_TEXT and file not in {page, Path(__file__).resolve()}
        if letter.search(text_of(file))
    ]
    assert named == []
