"""City panels passed round among researchers: one workbook a theme, heads as somebody once typed
them.

Each is recognised by its heads, wherever they stand; what its columns count, and in which unit when
the head does not say, was found by comparing them with the yearbooks. Ratios that follow from the
other columns are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.yearbook.cells import Column, Keys, count_cells, is_note, melt
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.judging import deliver
from warehouse.sources.yearbook.parsing import normal_head

HEAD_WITHIN = 5


@dataclass(frozen=True)
class Field:
    """One column: its head, the indicator, the unit it is in, and the column whose estimates fill
    its gaps.

    unit : a key of UNITS; "" for a number that is in the base unit already; None where a column of
        units says it
    """

    head: str
    indicator: str
    unit: str | None
    filled_by: str | None = None


@dataclass(frozen=True)
class CityFile:
    """A theme's workbook: the heads that tell it from the others, those of its keys, and its
    fields.
    """

    vintage: str
    marks: tuple[str, ...]
    city: str
    year: str
    fields: tuple[Field, ...]
    code: str | None = None
    unit: str | None = None
    scope: str = "city"


CITY_FILES = (
    CityFile(
        "gdp_base_2000",
        marks=("GDP指数", "GDP平减指数"),
        city="城市",
        year="年份",
        fields=(
            Field("名义GDP", "gdp_cny", "亿元"),
            Field("GDP指数", "gdp_index_pct", ""),
            Field("实际GDP", "gdp_cny_2000_published", "亿元"),
            Field("GDP平减指数", "gdp_deflator_2000", ""),
        ),
    ),
    CityFile(
        # The first sheet with these heads is the panel; the one named 2023 repeats its last year.
        "sector_structure",
        marks=("城市类别", "产业结构高级化"),
        city="城市名称",
        year="年度标识",
        code="城市代码",
        fields=(
            Field("gdp(亿元人民币)", "gdp_cny", "亿元"),
            Field("第一产业增加值(亿元人民币)", "gdp_primary_cny", "亿元"),
            Field("第二产业增加值", "gdp_secondary_cny", "亿元"),
            Field("第三产业增加值", "gdp_tertiary_cny", "亿元"),
        ),
    ),
    CityFile(
        "population_density",
        marks=("人口密度(人/平方公里)",),
        city="城市",
        year="年份",
        code="城市代码",
        fields=(
            Field(
                "常住人口(万人)", "population_resident_n", "万人", filled_by="插值_常住人口(万人)"
            ),
            Field("行政区域土地面积(平方公里)", "area_km2", "平方公里"),
        ),
    ),
    CityFile(
        "financial_development",
        marks=("所属地域", "金融发展水平"),
        city="城市",
        year="年份",
        code="城市代码",
        fields=(
            Field("地区生产总值(万元)", "gdp_cny", "万元"),
            Field("年末金融机构各项贷款余额(万元)", "loans_cny", "万元"),
            Field("年末金融机构存款余额(万元)", "deposits_cny", "万元"),
        ),
    ),
    CityFile(
        "fdi",
        marks=("地级市", "单位", "数据来源"),
        city="地级市",
        year="year",
        unit="单位",
        fields=(Field("外商直接投资", "fdi_usd", None),),
    ),
    CityFile(
        # From the urban construction yearbook, whose urban area is neither the whole city nor
        # exactly its districts.
        "road_area",
        marks=("人均道路面积(平方米)线性插值",),
        city="城市",
        year="年份",
        code="城市代码",
        scope="unstated",
        fields=(
            Field(
                "人均道路面积(平方米)",
                "road_area_per_head_m2",
                "平方米",
                filled_by="人均道路面积(平方米)线性插值",
            ),
        ),
    ),
    CityFile(
        "carbon",
        marks=("碳排放量_吨",),
        city="城市",
        year="年份",
        code="城市代码",
        fields=(Field("碳排放量_吨", "co2_t", "吨"),),
    ),
)


def layouts() -> tuple[Layout, ...]:
    return tuple(Layout(file.vintage, _recogniser(file), _reader(file)) for file in CITY_FILES)


def _recogniser(file: CityFile) -> Callable[[RawFile], bool]:
    def recognise(raw: RawFile) -> bool:
        return is_workbook(raw) and _find_head(read_workbook(raw), file) is not None

    return recognise


def _reader(file: CityFile) -> Callable[[RawFile, Delivery], None]:
    def read(raw: RawFile, delivery: Delivery) -> None:
        workbook = read_workbook(raw)
        found = _find_head(workbook, file)
        if found is None:
            raise SourceError(
                raw.name,
                "",
                f"has no row with the heads {', '.join(file.marks)}",
                "Restore the row of heads",
            )
        sheet, head_at = found
        place, rows = f"sheet {sheet}", workbook[sheet]
        heads = [normal_head(cell) for cell in rows[head_at]]
        columns, keys = _columns(raw, place, heads, file), _keys(raw, place, heads, file)
        numbered = [
            (at + 1, rows[at])
            for at in range(head_at + 1, len(rows))
            if not is_note(rows[at], keys, columns)
        ]
        delivery.read_n += count_cells(numbered, columns)
        _tell(delivery, sheet, workbook[sheet][head_at], columns, keys)
        deliver(delivery, melt(numbered, columns, keys, place), file.vintage)

    return read


def _tell(
    delivery: Delivery, sheet: str, heads: list[object], columns: list[Column], keys: Keys
) -> None:
    """Say of every head what it was taken for; ratios that follow from other columns are
    not read.
    """
    taken = {
        keys.city: "city_name",
        keys.year: "year",
        keys.code: "city_code_published",
        keys.unit: "value",
    }
    taken |= {
        index: column.indicator
        for column in columns
        for index in (column.index, column.filled_index)
    }
    for index, head in enumerate(heads):
        if str(head).strip():
            delivery.column(
                sheet,
                str(head),
                taken.get(index),
                "" if index in taken else "not among the columns that are read of this file",
            )


def _find_head(workbook: dict[str, Rows], file: CityFile) -> tuple[str, int] | None:
    """The first sheet and row (0-based) in which all of a theme's marks stand."""
    for sheet, rows in workbook.items():
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            if set(file.marks) <= {normal_head(cell) for cell in row}:
                return sheet, at
    return None


def _columns(raw: RawFile, place: str, heads: list[str], file: CityFile) -> list[Column]:
    return [
        Column(
            index=_index(raw, place, heads, field.head),
            header=field.head,
            indicator=field.indicator,
            scope=file.scope,
            factor=None if field.unit is None else UNITS[field.unit][1] if field.unit else 1.0,
            filled_index=(
                None if field.filled_by is None else _index(raw, place, heads, field.filled_by)
            ),
        )
        for field in file.fields
    ]


def _keys(raw: RawFile, place: str, heads: list[str], file: CityFile) -> Keys:
    return Keys(
        city=_index(raw, place, heads, file.city),
        year=_index(raw, place, heads, file.year),
        code=None if file.code is None else _index(raw, place, heads, file.code),
        unit=None if file.unit is None else _index(raw, place, heads, file.unit),
    )


def _index(raw: RawFile, place: str, heads: list[str], wanted: str) -> int:
    if wanted not in heads:
        found = ", ".join(head for head in heads if head)
        raise SourceError(
            raw.name,
            place,
            f"column {wanted} is missing; columns found: {found}",
            f"Add the column {wanted}, or rename the one that holds it",
        )
    return heads.index(wanted)
