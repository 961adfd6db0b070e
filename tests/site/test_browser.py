"""The pages as a person meets them: Chromium walks them from disk, without network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.test_pages import FOREIGN, pages
from warehouse.settings.config import Config
from warehouse.store import panel

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` lets these tests run"
)
PHONE, DESK = 360, 1280
PATIENCE = 60_000  # milliseconds; a page takes one or two seconds where nothing else runs
KINDS = (
    "index.html", "panels/city_year.html", "explorer.html", "editions.html", "zh/releases.html",
    "papers/ecommerce_resilience.html", "estimators/did.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


Open = Callable[..., "Page"]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page of a site; at the end no console has an error and nothing was asked of a
    network.
    """
    told: list[str] = []
    contexts = []

    def opened(site: Path, name: str, width: int = DESK, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        listen(page, told)
        show(page, site, name)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert told == []


def listen(page: Page, told: list[str]) -> None:
    page.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("file:", "data:", "blob:")) else told.append(asked.url)
        ),
    )


def show(page: Page, site: Path, name: str) -> None:
    path, mark, hash_ = name.partition("#")
    page.goto(f"{(site / path).as_uri()}{mark}{hash_}")
    page.wait_for_selector("html.ready", state="attached")


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_every_page_loads_without_a_word_on_the_console(
    open_page: Open, small_site: Path, trouble_site: Path
) -> None:
    page = open_page(small_site, "index.html")
    for file in pages(small_site):
        parts = file.relative_to(small_site).parts
        # One document is like the other, and the Chinese pages have the same templates.
        if parts[0] not in ("decisions", "zh") or file.stem.startswith("001"):
            show(page, small_site, "/".join(parts))
    for file in pages(trouble_site):
        name = file.relative_to(trouble_site)
        if name.parts[0] not in ("decisions", "estimators", "zh"):
            show(page, trouble_site, str(name))
            assert page.evaluate("window.hacked") is None, name


@pytest.mark.parametrize("name", KINDS)
def test_a_phone_is_wide_enough_and_axe_finds_no_serious_fault(
    open_page: Open, small_site: Path, name: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for width, dark in ((PHONE, False), (DESK, True)):
        page = open_page(small_site, name, width, dark)
        assert overflow(page) <= 0
        # Not its preload: it would connect to the styles, which the pages' policy forbids.
        found = axe.run(page, options={"preload": False}).response["violations"]
        heavy = [
            (one["id"], node["target"], node.get("failureSummary"))
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:2]
        ]
        assert heavy == []


def test_tables_sort_and_filter(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "sources.html")
    table = page.locator("table").first
    rows = table.locator("tbody tr")
    assert rows.count() == 18
    head = table.locator("thead th", has_text="Rows read")
    head.click()
    table.locator("th[aria-sort=ascending]").wait_for()
    read = [
        int(text.replace(",", ""))
        for text in table.locator("tbody td:nth-child(6)").all_inner_texts()
    ]
    assert read == sorted(read)
    head.click()
    table.locator("th[aria-sort=descending]").wait_for()
    first = table.locator("tbody td:nth-child(6)").first.inner_text()
    assert int(first.replace(",", "")) == max(read)
    page.locator("input[type=search]").first.fill("customs")
    assert rows.count() == 1
    assert rows.first.inner_text().startswith("customs")


def test_the_map_answers_to_column_and_year(
    open_page: Open, small_site: Path, small_release: Config
) -> None:
    frame = panel("city_year", config=small_release)
    page = open_page(small_site, "explorer.html")
    for column, year in (("gdp_cny", 2010), ("hs6_n", 2004)):
        page.select_option("#column", column)
        page.evaluate(
            "at => { const year = document.getElementById('year'); year.value = at;"
            " year.dispatchEvent(new Event('input')); }",
            year - 2000,
        )
        page.wait_for_selector(f'#explorer[data-shown^="{column} {year}"]')
        values = frame[frame["year"] == year].set_index("city_code")[column].dropna()
        assert page.locator("#count").inner_text() == (
            f"{len(values)} of 297 cities have a value in {year}."
        )
        top = page.locator("#values tbody tr").first.inner_text().split("\t")
        assert float(top[2].replace(",", "")) == pytest.approx(values.max(), rel=1e-5)
        assert page.locator("#map canvas").count() == 1
        assert page.locator("#map").get_attribute("data-drawn") == "297"
    assert "column=hs6_n&year=2004" in page.url


def test_the_map_is_another_picture_in_another_year(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "explorer.html#column=gdp_cny&year=2001&cities=3301")
    page.wait_for_selector('#explorer[data-shown="gdp_cny 2001 3301"]')
    early = page.locator("#map canvas").screenshot()
    page.locator("#year").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector('#explorer[data-shown="gdp_cny 2004 3301"]')
    page.wait_for_timeout(300)
    assert page.locator("#map canvas").screenshot() != early


def test_cities_of_the_lines_are_added_and_taken_out(open_page: Open, small_site: Path) -> None:
    """Every line has its button, whatever the address named, and the keyboard works them."""
    page = open_page(small_site, "explorer.html#column=gdp_cny&year=2005&cities=3301,4403,nowhere")
    shown = "#explorer[data-shown='gdp_cny 2005 {}']"
    page.wait_for_selector(shown.format("3301,4403"))
    buttons = page.locator("#chosen button")
    assert buttons.all_inner_texts() == ["Hangzhou ×", "Shenzhen ×"]
    page.select_option("#cities", "3100")
    page.wait_for_selector(shown.format("3301,4403,3100"))
    buttons.first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(shown.format("4403,3100"))
    assert buttons.all_inner_texts() == ["Shenzhen ×", "Shanghai ×"]
    assert page.evaluate("document.activeElement.id") == "cities"


def test_downloads_open_from_the_page_and_are_the_panel(
    open_page: Open, small_site: Path, small_release: Config, tmp_path: Path
) -> None:
    import pandas as pd

    page = open_page(small_site, "panels/city_year.html")
    links = page.locator(".downloads a")
    assert [text.split(" ")[0] for text in links.all_inner_texts()] == [
        "parquet",
        "csv",
        "dta",
        "xlsx",
    ]
    with page.expect_download() as waiting:
        links.first.click()
    file = tmp_path / "city_year.parquet"
    waiting.value.save_as(file)
    there = panel("city_year", config=small_release)
    pd.testing.assert_frame_equal(pd.read_parquet(file), there, check_dtype=False)


def test_a_keyboard_reaches_all(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "panels/city_year.html")
    reached = set()
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('a[href], button, select, input, [tabindex=\"0\"]')]"
        ".filter(one => one.checkVisibility() && one.ariaDisabled !== 'true')"
        ".map((one, at) => (one.dataset.at = at, at))"
    )
    for _ in range(2 * len(wanted) + 20):  # what scrolls is reached too, wherever it is
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.dataset?.at ?? null")
        reached.add(at)
    assert {str(at) for at in wanted} <= reached
    page = open_page(small_site, "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_chinese_is_a_step_away_and_stays(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "panels/city_year.html")
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("html[lang=zh-CN].ready", state="attached")
    assert page.url.endswith("/zh/panels/city_year.html")
    body = page.inner_text("body")
    assert "模拟数据" in body
    assert "完整程度" in body
    page.get_by_role("link", name="数据浏览").click()
    page.wait_for_selector('#explorer[data-shown^="export_value_usd"]')
    assert "市" in page.locator("#values tbody tr").first.inner_text()
    assert page.locator("input[type=search]").count() == 1
    assert "筛选" in page.locator(".dt-search").inner_text()


def test_light_and_dark(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "panels/city_year.html")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(colour) != light
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    show(page, small_site, "index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"  # it is kept


def test_dbts_page_opens_with_its_models(open_page: Open, small_site: Path) -> None:
    page = open_page(small_site, "lineage.html")
    page.goto((small_site / FOREIGN).as_uri() + "#!/model/model.citytrade.city_year")
    page.wait_for_selector("text=export_value_usd")
    assert "SIMULATED" in page.inner_text("body")
    assert (
        json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('resource'))"))
        is not None
    )
