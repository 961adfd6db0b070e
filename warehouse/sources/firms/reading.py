"""Industrial enterprises above designated size (工业企业数据库): one row a firm and year, a file a
year.

The heads changed with nearly every year, and each copy in circulation cut or spelt them its own
way. A head is known here by its words alone, without blanks, brackets, underscores and dots, and
without the unit at its end; `HEADS` lists the words. Money stands in thousand CNY unless the head
says 万元 or 元, and becomes CNY. The year is the file's own column, else the four digits in its
name. Codes stay as published, but for the zeros of industries that a spreadsheet took. Which row is
a firm that can be used is decided by the models, and only what cannot be read is set aside here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.firms.heads import (
    FACTORS,
    HEADS,
    MONEY,
    NUMBERS,
    WANTED,
    find_heads,
    plain_head,
)
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.codes import ROUNDED, restored, whole, with_lost_zeros
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.stata import (
    EXACT_IN_FLOAT,
    refuse_rounded,
    stata_labels,
    stata_pieces,
)
from warehouse.sources.reading.stata_header import stata_release
from warehouse.sources.reading.text import BLANKS, is_foreign_text, sniff_text
from warehouse.sources.reading.transcoding import BLANK_LINE, transcode
from warehouse.sources.reading.values import missing

TABLE = "firms__enterprises"
FIRST_YEAR, LAST_YEAR = 1995, 2030
STATA_CHUNK_ROWS = 200_000
LONGEST_VALUE = 100_000  # characters
CODES = {"firm_code", "region_code"}  # numbers of more figures than a float keeps
CONTACTS = {"postcode", "telephone"}  # of which a mark may say that there is none
WIDTHS = {"industry_code": 4, "postcode": 6}  # numbers among them may have lost their leading zero
TEXTS = ("firm_code", "firm_name", "region_code", "industry_code", "postcode", "telephone")
DATE = (
    r"^((?:19|20)[0-9]{2})(?:年(?:[0-9]{1,2}月)?|[-/.][0-9]{1,2}(?:[-/.][0-9]{1,"
    r"2})?(?: 00:00:00)?)$"
)
BAD_TEXT = "\ufffd"


@dataclass(frozen=True)
class Style:
    """A family of heads, told by words that no other family has."""

    name: str
    marks: frozenset[str]


STYLES = (
    Style("survey_2010", frozenset({"B05", "年末从业人员合计总计"})),
    Style(
        "units_in_heads",
        frozenset(
            {
                "工业总产值当年价格千元",
                "工业中间投入合计千元",
                "开业成立时间年",
                "全部从业人员年平均人数人",
            }
        ),
    ),
    Style("constant_prices_2003", frozenset({"工业总产值不变价", "总产值现新"})),
    Style(
        "long_names_2008",
        frozenset({"工业总产值当年价格", "行业小类代码", "年末从业人员合计", "从业人员平均人数"}),
    ),
    Style(
        "short_names",
        frozenset(
            {
                "工业产值现",
                "产值现价",
                "工业产值当",
                "固资净年余",
                "全部从业人",
                "全部人员平",
                "固定资产平",
            }
        ),
    ),
)


def _csv_heads(raw: RawFile) -> list[str]:
    text = sniff_text(raw)
    return next(csv.reader([re.split(r"\r\n|\r|\n", text, maxsplit=1)[0]]), []) if text else []


def _stata_heads(raw: RawFile) -> list[str]:
    return list(stata_labels(raw))


def _style_of(heads: list[str]) -> str | None:
    """The family that a file's heads belong to, if they name a firm, a region and an industry at
    all.
    """
    plain = {plain_head(head) for head in heads}
    found = find_heads(heads)
    if sum(field in found for field in WANTED) < 3:
        return None
    return next((style.name for style in STYLES if style.marks & plain), "short_names")


def _recogniser(style: str, is_stata: bool) -> Callable[[RawFile], bool]:
    return lambda raw: _recognise(style, is_stata, raw)


def _recognise(style: str, is_stata: bool, raw: RawFile) -> bool:
    if (stata_release(raw) is not None) != is_stata:
        return False
    if not is_stata and is_foreign_text(raw):
        return style == STYLES[0].name  # so that reading it says what is wrong with its encoding
    return _style_of(_stata_heads(raw) if is_stata else _csv_heads(raw)) == style


def _read_csv(raw: RawFile, delivery: Delivery) -> None:
    heads = _csv_heads(raw)
    at = _positions(raw, heads)
    plain = delivery.folder / "scratch.csv"
    seen = transcode(raw, plain, ",".join(map(str, range(len(heads)))))
    lines: list[list[str | int]] = []
    broken: list[tuple[int, str, str]] = []
    with plain.open(encoding="utf-8", newline="") as handle:
        for line, record in enumerate(handle, start=1):
            if line == 1 or record.startswith(BLANK_LINE):
                continue
            fields = _fields(record.rstrip("\n"))
            if len(fields) != len(heads):
                broken.append((line, "broken_row", f"{len(fields)} values, {len(heads)} expected"))
            else:
                lines.append([line, *(fields[position].strip(BLANKS) for position in at.values())])
    plain.unlink()
    _refuse_cut_off(raw, seen.is_ended, broken, lines)
    delivery.read_n += len(lines) + len(broken)
    delivery.put_aside(TABLE, pd.DataFrame(broken, columns=["line", "reason", "detail"]))
    _deliver(raw, delivery, pd.DataFrame(lines, columns=["line", *at]), heads, {})


def _fields(record: str) -> list[str]:
    """A line's values; none where a value is longer than any that a survey prints.

    The limit that csv has itself is not meant: it is one for the whole process, and other readers
    move it.
    """
    try:
        fields = next(csv.reader([record]), [])
    except csv.Error:
        return []
    return (
        []
        if len(record) > LONGEST_VALUE and max(map(len, fields), default=0) > LONGEST_VALUE
        else fields
    )


def _refuse_cut_off(
    raw: RawFile, is_ended: bool, broken: list[tuple[int, str, str]], lines: list[list[str | int]]
) -> None:
    if not lines and not broken:
        raise SourceError(
            raw.name, "line 1", "holds a header and no records", "Fetch the file again"
        )
    last = max([int(line[0]) for line in lines[-1:]] + [row[0] for row in broken[-1:]])
    if not is_ended and broken and broken[-1][0] == last:
        raise SourceError(
            raw.name,
            f"line {last}",
            "ends in the middle of a row: the file is cut off",
            "Fetch the file again",
        )


def _read_stata(raw: RawFile, delivery: Delivery) -> None:
    heads = _stata_heads(raw)
    at = _positions(raw, heads)
    pieces: list[pd.DataFrame] = []
    done: dict[int, str] = {}
    rows_n = 0
    for chunk in stata_pieces(raw, STATA_CHUNK_ROWS):
        chunk.columns = pd.RangeIndex(len(chunk.columns))
        for field in CODES & set(at):
            refuse_rounded(raw, heads[at[field]], chunk[at[field]])
        piece = pd.DataFrame({field: _as_text(chunk[position]) for field, position in at.items()})
        if "telephone" in at and (number := chunk[at["telephone"]]).dtype == "float32":
            piece["telephone"] = piece["telephone"].mask(number >= EXACT_IN_FLOAT, "")
            done[at["telephone"]] = ROUNDED
        piece.insert(0, "line", range(rows_n + 1, rows_n + len(chunk) + 1))
        pieces.append(piece)
        rows_n += len(chunk)
    if not rows_n:
        raise SourceError(raw.name, "", "holds no records", "Fetch the file again")
    delivery.read_n += rows_n
    _deliver(raw, delivery, pd.concat(pieces, ignore_index=True), heads, done)


def _as_text(column: pd.Series) -> pd.Series:
    """A column as text: a number without .0 or exponent; missing is empty."""
    codes, values = pd.factorize(column)
    texts = [
        _number_text(value) if isinstance(value, int | float) else str(value).strip(BLANKS)
        for value in values.tolist()
    ]
    return pd.Series([texts[code] if code >= 0 else "" for code in codes], dtype="object")


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _positions(raw: RawFile, heads: list[str]) -> dict[str, int]:
    """Field -> position in the file.

    Raises
    ------
    SourceError : a field that no firm can do without is missing.
    """
    at = find_heads(heads)
    missing = [field for field in WANTED if field not in at]
    if "firm_output_cny" not in at and "firm_output_cny_1990" not in at:
        missing.append("firm_output_cny")
    if missing:
        wanted = "; ".join(f"{field} ({', '.join(HEADS[field][:3])}…)" for field in missing)
        raise SourceError(
            raw.name,
            "line 1",
            f"has no column for {wanted}; it has {', '.join(heads[:12])}",
            "Name the column as the survey of that year does",
        )
    return at


def _deliver(
    raw: RawFile,
    delivery: Delivery,
    text: pd.DataFrame,
    heads: list[str],
    done: dict[int, str],
) -> None:
    """Numbers from text, in base units; rows with something unreadable are set aside.

    done : what was done to which column already
    """
    at = find_heads(heads)
    rows, is_bad, found = _numbers(text, {field: heads[position] for field, position in at.items()})
    for field, texts in _texts(text).items():
        rows[field], restored_n = (
            with_lost_zeros(texts, WIDTHS[field]) if field in WIDTHS else (texts, 0)
        )
        done |= {at[field]: restored(restored_n)} if restored_n else {}
    year = _years(raw, text)
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    rows["year"] = year.where(good_year).astype("Int64")
    opening = rows.get("opening_year", pd.Series(float("nan"), index=rows.index))
    rows["opening_year"] = opening.where(
        opening.between(1000, LAST_YEAR) & (opening % 1 == 0)
    ).astype("Int64")
    nameless = rows["firm_code"].isna() & (
        rows["firm_name"].isna() if "firm_name" in rows else True
    )
    checks = [
        Check(
            "bad_year",
            ~good_year,
            text["year"] if "year" in text else pd.Series(raw.name, index=text.index),
        ),
        Check("bad_number", is_bad, found),
        Check("missing_firm", nameless, pd.Series("neither code nor name", index=text.index)),
    ]
    good, aside = sort_out(rows, checks)
    delivery.heads("", heads, {position: field for field, position in at.items()}, done)
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, aside)


def _texts(text: pd.DataFrame) -> dict[str, pd.Series]:
    """Codes and names without blanks, null where there is none."""
    cleaned = {field: whole(text[field].map(clean_name)) for field in TEXTS if field in text}
    return {
        field: texts.mask(
            (missing(texts) if field in CONTACTS else texts == "")
            | texts.str.contains(BAD_TEXT, regex=False)
        )
        for field, texts in cleaned.items()
    }


def _numbers(
    text: pd.DataFrame, heads: dict[str, str]
) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Lines with their numbers in base units; whether a row has an unreadable one, and its first.

    `heads` gives the file's own head of each field.
    """
    rows = text[["line"]].copy()
    is_bad, found = pd.Series(False, index=text.index), pd.Series("", index=text.index)
    for field in NUMBERS:
        if field not in text:
            continue
        number = _opening_years(text[field]) if field == "opening_year" else as_numbers(text[field])
        unreadable = number.isna() & ~missing(text[field])
        found = found.mask(unreadable & ~is_bad, heads[field] + ": " + text[field])
        is_bad |= unreadable
        rows[field] = number * (FACTORS.get(_unit(heads[field]), 1000.0) if field in MONEY else 1.0)
    return rows, is_bad, found


def _opening_years(text: pd.Series) -> pd.Series:
    """Years of opening; of a date it is the date's year."""
    return as_numbers(text.str.replace(DATE, r"\1", regex=True))


def _years(raw: RawFile, text: pd.DataFrame) -> pd.Series:
    if "year" in text:
        return as_numbers(text["year"].str.replace(DATE, r"\1", regex=True))
    stated = raw.options.get("year") or next(
        iter(re.findall(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])", raw.name)), None
    )
    if stated is None:
        raise SourceError(
            raw.name,
            "",
            "says its year neither in a column nor in its name",
            "Put the year into the file's name, as in firms_2005.csv",
        )
    return pd.Series(float(stated), index=text.index)


def _unit(head: str) -> str:
    return next((unit for unit in FACTORS if plain_head(head).endswith(unit)), "")


def layouts() -> Iterator[Layout]:
    for style in STYLES:
        for kind, read in (("csv", _read_csv), ("stata", _read_stata)):
            yield Layout(
                f"{style.name}_{kind}",
                _recogniser(style.name, kind == "stata"),
                read,
            )
