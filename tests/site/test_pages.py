"""The pages of a release as files: links hold, simulated is called so, no data is markup, and the
folder is written whole or not at all.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
import yaml
from jinja2.ext import babel_extract

from analysis.report.site.languages import catalogue, told_column, translated
from analysis.report.site.pages import TEMPLATES, number, percent, script_data
from analysis.report.site.panels import FORMS, packed
from analysis.report.site.writing import MARK, new_folder
from flows.cli import main
from flows.refresh.finish import first_sentence
from tests.site.conftest import EVIL, HELD, Build
from warehouse.dictionary.entries import read_dictionary
from warehouse.errors import CitytradeError
from warehouse.project import PROJECT
from warehouse.releases.publish import current_release
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config
from warehouse.store import panel

LARGEST_BYTES = 60_000_000
FOREIGN = "files/dbt.html"  # dbt's own page, which only carries our banner


class Read(HTMLParser):
    """Links and anchors of a page, and its tags."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.links += [found[name] or "" for name in ("href", "src") if name in found]


def pages(site: Path) -> list[Path]:
    return [file for file in sorted(site.rglob("*.html")) if file != site / FOREIGN]


def test_every_link_leads_to_a_file_of_the_folder(small_site: Path, trouble_site: Path) -> None:
    for site in (small_site, trouble_site):
        read = {file: Read(file) for file in pages(site)}
        assert len(read) > 100
        broken = []
        for file, found in read.items():
            for link in found.links:
                parts = urlsplit(link)
                there = (file.parent / unquote(parts.path)).resolve() if parts.path else file
                lost = parts.fragment and there in read and parts.fragment not in read[there].ids
                if parts.scheme == "data":
                    continue
                if parts.scheme or site not in there.parents or not there.is_file() or lost:
                    broken.append(f"{file.relative_to(site)}: {link}")
        assert broken == []


def test_every_page_is_there_in_both_languages_and_leads_to_the_other(small_site: Path) -> None:
    names = {file.relative_to(small_site) for file in pages(small_site)}
    english = {name for name in names if name.parts[0] != "zh"}
    assert {Path("zh") / name for name in english} == names - english
    for name in english:
        chinese = (small_site / "zh" / name).read_text(encoding="utf-8")
        assert '<html lang="zh-CN"' in chinese
        assert "模拟数据" in chinese


def test_columns_are_told_in_the_language_of_the_page(trouble_site: Path) -> None:
    for page in ("panels/city_year.html", "explorer.html"):
        english = (trouble_site / page).read_text(encoding="utf-8")
        chinese = (trouble_site / "zh" / page).read_text(encoding="utf-8")
        assert "All." in english
        assert "全部。" not in english
        assert "全部。" in chinese
        assert "All." not in chinese
    panel_page = (trouble_site / "zh" / "panels" / "city_year.html").read_text(encoding="utf-8")
    assert "<td>美元</td>" in panel_page
    assert '"unit":"美元"' in chinese
    assert "export_value_usd · 出口额" in chinese


def test_a_definition_that_a_release_has_in_english_alone_stays() -> None:
    about = {"column_name": "a", "label_en": "A", "unit": "parsec", "definition": "All."}
    assert told_column(about, "zh") == {
        "name": "a", "label": "A", "unit": "parsec", "definition": "All."
    }  # fmt: skip


def test_every_page_and_every_file_of_data_says_simulated(small_site: Path) -> None:
    for file in small_site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "SIMULATED" in text or "模拟数据" in text, file
    for file in (small_site / "data").iterdir():
        assert file.read_text(encoding="utf-8").startswith("/* SIMULATED DATA"), file
    for file in (small_site / "files").iterdir():
        assert "simulated" in file.name or file == small_site / FOREIGN, file


def test_a_real_release_is_not_called_simulated(real_site: Path) -> None:
    for file in pages(real_site):
        text = file.read_text(encoding="utf-8")
        assert "SIMULATED" not in text, file
        # Documents speak of both worlds.
        if not {"estimators", "decisions", "papers"} & {file.parent.name, file.stem}:
            assert not re.search("simulated|模拟", text), file
    assert not [file for file in (real_site / "files").iterdir() if "simulated" in file.name]


def _download(files: Path, name: str, form: str) -> Path:
    """A file as it is offered: in a zip where it is large."""
    plain = files / f"{name}.simulated.{form}"
    return plain if plain.is_file() else plain.with_name(f"{plain.name}.zip")


def test_downloads_equal_the_panel(small_release: Config, small_site: Path) -> None:
    files = small_site / "files"
    for name in ("city_year", "panel_ecommerce_resilience", "city_destination_year"):
        frame = panel(name, config=small_release)
        pd.testing.assert_frame_equal(
            pd.read_parquet(files / f"{name}.simulated.parquet"), frame, check_dtype=False
        )
        plain = pd.read_csv(_download(files, name, "csv"), dtype={"city_code": str})
        book = pd.read_excel(files / f"{name}.simulated.xlsx", dtype={"city_code": str})
        stata = pd.read_stata(_download(files, name, "dta"))
        for read in (plain, book, stata):
            assert len(read) == len(frame)
            assert list(read["city_code"]) == list(frame["city_code"])
            assert list(read["year"]) == list(frame["year"])
        value = "export_value_usd" if "export_value_usd" in frame else "resilience_index"
        assert plain[value].sum() == pytest.approx(frame[value].sum())
        assert book[value].sum() == pytest.approx(frame[value].sum())
    assert FORMS == ("parquet", "csv", "dta", "xlsx")


def test_a_value_that_is_filled_in_is_marked(trouble_site: Path) -> None:
    """In the first rows by its mark, in the explorer by the years that are drawn hollow."""
    page = (trouble_site / "panels" / "city_year.html").read_text(encoding="utf-8")
    first_rows = page[page.index("First rows") :]
    assert first_rows.count('<td><span class="mark warn">true</span></td>') == 2
    told = (trouble_site / "data" / "city_year_filled.js").read_text(encoding="utf-8")
    assert '{"fdi_usd":{"3301":[2004,2011]}}' in told


def test_a_large_csv_is_packed_and_opens_as_it_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"city_name_zh": ["上海市"] * 200_000, "value": range(200_000)})
    frame.to_csv(tmp_path / "large.csv", index=False)
    (tmp_path / "small.csv").write_text("a\n1\n", encoding="utf-8")
    assert packed(tmp_path / "small.csv").name == "small.csv"
    file = packed(tmp_path / "large.csv")
    assert file.name == "large.csv.zip"
    assert not (tmp_path / "large.csv").exists()
    pd.testing.assert_frame_equal(pd.read_csv(file), frame, check_dtype=False)


def test_the_folder_is_small_and_names_no_place_of_this_machine(
    small_release: Config, small_site: Path
) -> None:
    files = [file for file in small_site.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < LARGEST_BYTES
    home = str(small_release.home).encode()
    assert [file for file in files if home in file.read_bytes()] == []


def test_names_of_cities_and_files_are_text_and_never_markup(trouble_site: Path) -> None:
    shown = 0
    for file in [*pages(trouble_site), *(trouble_site / "data").iterdir()]:
        text = file.read_text(encoding="utf-8")
        assert EVIL not in text, file
        assert "<script>window" not in text, file
        assert "<img src=x" not in text, file
        shown += "&lt;script&gt;window" in text or "\\u003cscript\\u003ewindow" in text
    assert shown > 8  # it is there, as text


def test_the_wrong_thing_is_seen(trouble_site: Path) -> None:
    front = (trouble_site / "index.html").read_text(encoding="utf-8")
    for mark in ("held", "stale", "failed", "not configured"):
        assert re.search(rf'<span class="mark (bad|warn)">{mark}</span>', front), mark
    assert HELD in front
    assert "its publisher has released 2016 and the data end in 2005" in front
    editions = (trouble_site / "editions.html").read_text(encoding="utf-8")
    assert "1,919,569,000,000" in editions
    assert "2,000,968,000,000" in editions
    assert "Shanghai" in editions
    filled = (trouble_site / "panels" / "city_year.html").read_text(encoding="utf-8")
    assert re.search(r'is_gdp_interpolated</code></td><td class="number">2</td>', filled)
    checks = (trouble_site / "checks.html").read_text(encoding="utf-8")
    assert '<span class="mark warn">failed</span>' in checks
    releases = (trouble_site / "releases.html").read_text(encoding="utf-8")
    assert "column added" in releases
    assert "value changed" in releases


def test_every_text_of_the_templates_is_there_in_chinese() -> None:
    chinese, missing = catalogue("zh"), []
    for file in TEMPLATES.glob("*.html"):
        with file.open("rb") as source:
            for _, _, text, _ in babel_extract(source, ("_",), [], {"encoding": "utf-8"}):
                found = chinese.get(text) if isinstance(text, str) else None
                if isinstance(text, str) and (found is None or not found.string):
                    missing.append(f"{file.name}: {text}")
    assert missing == []


def test_every_unit_has_its_chinese() -> None:
    """A closed list: none is missing, and none is left of a unit that no column has."""
    told = {message.id for message in catalogue("zh") if message.context == "unit"}
    assert told == {one.unit for one in read_dictionary().values()}
    assert [unit for unit in told if not translated(str(unit), "zh", "unit")] == []


def test_every_panel_is_told_in_chinese() -> None:
    """A closed list, like that of units: dbt's own sentences, and no other."""
    text = (PROJECT / "dbt_project/models/panels/_panels.yml").read_text(encoding="utf-8")
    wanted = {first_sentence(one["description"]) for one in yaml.safe_load(text)["models"]}
    told = {message.id for message in catalogue("zh") if message.context == "panel"}
    assert told == wanted
    assert [one for one in told if not translated(str(one), "zh", "panel")] == []


def test_json_inside_a_page_cannot_end_its_element() -> None:
    assert str(script_data({"a": "</script><!--"})) == ('{"a":"\\u003c/script\\u003e\\u003c!--"}')


def test_numbers_are_written_as_a_reader_takes_them_in() -> None:
    assert [number(value) for value in (None, 1234567, 1.5, 0.123456789, 2e12, float("nan"))] == [
        "", "1,234,567", "1.5", "0.123457", "2,000,000,000,000", "",
    ]  # fmt: skip
    assert [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0, None)] == [
        "0 %", "1 %", "50 %", "99 %", "100 %", "",
    ]  # fmt: skip


def test_a_folder_of_somebody_else_is_refused_and_stays(tmp_path: Path, build: Build) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(CitytradeError, match="did not make"):
        build(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(CitytradeError, match="is no folder"):
        build(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(CitytradeError, match="is no folder"):
        build(tmp_path / "link")


def test_a_site_takes_the_place_of_a_site_and_an_empty_folder(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    for text in ("first", "second"):
        with new_folder(out) as folder:
            (folder / "index.html").write_text(text, encoding="utf-8")
    assert (out / "index.html").read_text(encoding="utf-8") == "second"
    assert (out / MARK).is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_what_fails_on_the_way_leaves_the_old_site(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with new_folder(out) as folder:
        (folder / "index.html").write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), new_folder(out) as folder:
        (folder / "index.html").write_text("half", encoding="utf-8")
        raise RuntimeError("on the way")
    assert (out / "index.html").read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_the_release_is_read_only(trouble_config: Config, trouble_site: Path) -> None:
    home = trouble_config.home
    assert current_release(home) is not None
    assert not (home / "estimates").exists()
    assert (trouble_site / "index.html").is_file()
    first = (
        trouble_config.builds / sorted(entry.name for entry in trouble_config.builds.iterdir())[0]
    )
    assert broken_seals(first) == []


def test_without_a_release_the_command_says_what_to_do(
    tiny_config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["site", "--config", str(tiny_config.path)]) == 1
    assert "run `citytrade refresh`" in capsys.readouterr().err
    assert not (tiny_config.home / "site").exists()


def test_the_command_writes_into_the_home_and_says_where(
    trouble_config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["site", "--config", str(trouble_config.path)]) == 0
    assert (trouble_config.home / "site" / "index.html").is_file()
    assert str(trouble_config.home / "site" / "index.html") in capsys.readouterr().out
