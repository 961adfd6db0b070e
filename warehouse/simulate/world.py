"""A whole simulated world in a folder: raw files in the publishers' layouts and encodings, and the
truth beside them.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from warehouse import closure
from warehouse.errors import CitytradeError
from warehouse.simulate.layouts import chosen_layouts
from warehouse.simulate.model.city_headlines import city_headlines
from warehouse.simulate.model.defects import draw_defects
from warehouse.simulate.model.gaps import incomplete_cities
from warehouse.simulate.model.headlines import trade_headlines
from warehouse.simulate.model.industry import industry_truth
from warehouse.simulate.model.plan import draw_plan
from warehouse.simulate.model.quality import index_slope
from warehouse.simulate.model.records import draw_records
from warehouse.simulate.model.statements import state_every_postcode, stray_postcodes
from warehouse.simulate.model.trade import Market, build_market
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.truth import customs_truth, parameters, write_truth
from warehouse.simulate.writers import (
    census,
    concordance,
    digital_finance,
    divisions,
    firms,
    geography,
    history,
    innovation,
    input_output,
    marketisation,
    policies,
    postcodes,
    prices,
    reports,
    risk,
    world_trade,
    yearbook,
)
from warehouse.simulate.writers import customs as customs_files
from warehouse.sources import SOURCES

RECORDS_N = {"small": 20_000, "paper": 2_000_000}
RECORDS_PER_FIRM = 25
MARKER = "SIMULATED.json"
README = """SIMULATED DATA - 模拟数据

Every file in this folder was made by a program (citytrade simulate, scale {scale}, seed {seed}).
None of it was published by customs, a statistics office, a university or the OECD: the files only
have the layouts and encodings of theirs. Do not cite, publish or analyse them as facts about any
city, firm or country.
Real in here: names, codes, positions and neighbours of places (divisions, postcodes, geography),
dates and names of policy programmes (policies), and the names of countries. All numbers on trade,
risk, markets, prices, output, people and finance, all firms, all product codes and all texts of
work reports are invented. truth.json says what a faultless pipeline must find.

本文件夹中的所有文件均由程序生成（citytrade simulate，规模 {scale}，种子 {seed}），
并非海关、统计部门、高校或经合组织发布的数据，只是采用了它们的格式与编码。
请勿将其作为任何城市、企业或国家的事实加以引用、发表或分析。
真实的内容仅有：地名、行政区划代码、位置与邻接关系（divisions、postcodes、geography）、
政策名单与日期（policies）以及国家名称。
贸易、风险、市场化、价格、产出、人口、金融的全部数值，以及全部企业、商品编码与政府工作报告文本，
均为虚构。truth.json 记录了无误的处理应得到的结果。
"""


def simulator_version() -> str:
    """Changes when code or a list that writes the world changes, wherever it stands: see
    `warehouse.closure`.
    """
    return closure.version_of({__name__})


def world_is_current(directory: Path, scale: str, seed: int) -> bool:
    """Whether a folder holds the world that this version of the simulator would write."""
    marker = Path(directory) / MARKER
    if not marker.is_file():
        return False
    try:
        return bool(json.loads(marker.read_text(encoding="utf-8")) == _marker(scale, seed))
    except ValueError:
        return False


def simulate(
    directory: Path,
    scale: str,
    seed: int,
    progress: Callable[[str], None] | None = None,
    layouts: Mapping[str, str] | None = None,
) -> Path:
    """Write a simulated world into `directory`, all of it or nothing; the same seed gives the same
    bytes.

    Parameters
    ----------
    scale : "small" (20,000 customs records, 60 cities) or "paper" (2 million records, about 290
        cities); both 2000-2021
    progress : called with a line of text now and then
    layouts : source -> layout, for sources that can be written in several
        (`warehouse.simulate.layouts`)

    Raises
    ------
    CitytradeError : an unknown scale or layout, or a folder that holds something other than a
        simulated world.
    """
    if scale not in RECORDS_N:
        raise CitytradeError(f"scale {scale!r}: no such simulated world. Choose small or paper.")
    chosen = chosen_layouts(layouts or {})
    target = Path(directory).absolute()
    if (
        target.exists()
        and not (target / MARKER).is_file()
        and (not target.is_dir() or any(target.iterdir()))
    ):
        raise CitytradeError(
            f"{target}: holds something that is not a simulated world (no {MARKER}). Name another"
            " folder, or empty this one yourself."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    building = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    building.mkdir()
    try:
        _write_world(building, scale, seed, progress or (lambda _: None), chosen)
        _take_place(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _marker(scale: str, seed: int, layouts: Mapping[str, str] | None = None) -> dict[str, object]:
    marker: dict[str, object] = {
        "simulated": True,
        "scale": scale,
        "seed": seed,
        "simulator_version": simulator_version(),
    }
    return {**marker, "layouts": dict(layouts)} if layouts else marker


def _take_place(building: Path, target: Path) -> None:
    """Put the finished folder where it belongs; an older world leaves only then."""
    if not target.exists():
        building.rename(target)
        return
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    target.rename(old)
    building.rename(target)
    shutil.rmtree(old)


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Independent sources of randomness, one a theme, so that a change in one theme leaves the
    others' bytes alone.
    """
    names = (
        "market", "records", "defects", "customs_files", "yearbook", "tables", "innovation",
        "late_cities", "industries", "digital", "industry",
        "history", "virtual", "shortfall", "exports", "technology", "finance", "zones",
        "employment", "identities",
    )  # fmt: skip
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {
        name: np.random.Generator(np.random.PCG64(child))
        for name, child in zip(names, children, strict=True)
    }


def write_customs_world(
    folder: Path,
    scale: str,
    whole: Whole,
    random: Mapping[str, np.random.Generator],
    layout: str | None,
    progress: Callable[[str], None],
    truth: dict[str, object],
) -> Market:
    """Write the customs files of a world alone, in a layout or (None) in those of its default, and
    add what is true of them to `truth`.
    """
    total = RECORDS_N[scale]
    market = build_market(whole.trading, max(800, total // RECORDS_PER_FIRM), random["market"])
    plan, _ = draw_plan(whole, total, random)
    defects = draw_defects(total, random["defects"])
    records = draw_records(market, plan, defects.bad, random["records"])
    state_every_postcode(market.firms, records, defects.bad)
    stray_postcodes(market.firms, records, defects.bad, random["defects"])
    (folder / "customs").mkdir(parents=True, exist_ok=True)
    if layout is None:
        files = customs_files.write_customs(
            folder / "customs", market, records, defects, random["customs_files"], progress
        )
    else:
        defects = customs_files.shown(layout, records, defects)
        files = customs_files.write_in_layout(
            folder / "customs", market, records, defects, random["customs_files"], layout, progress
        )
    truth.update(customs_truth(market, records, defects, files))
    slope = index_slope(market, records, defects.bad, whole.virtual)
    truth["headlines"] = {**trade_headlines(slope), **city_headlines(whole)}
    return market


def _write_world(
    folder: Path, scale: str, seed: int, progress: Callable[[str], None], layouts: Mapping[str, str]
) -> None:
    random = streams(seed)
    truth: dict[str, object] = {
        "simulated": True,
        "scale": scale,
        "seed": seed,
        "simulator_version": simulator_version(),
        "parameters": parameters(),
    }
    for source in SOURCES:
        (folder / source).mkdir()
    # Cities are whole before anybody trades, so that exports can follow what is true of them.
    whole = whole_economy(scale, random)
    economy = whole.economy
    market = write_customs_world(
        folder, scale, whole, random, layouts.get("customs"), progress, truth
    )
    concordance.write_elasticities(folder / "concordance", market)
    truth |= whole.truth
    truth["incomplete_cities"] = incomplete_cities()
    truth["yearbook"] = yearbook.write_yearbooks(
        folder / "yearbook", economy, random["yearbook"], progress, layouts.get("yearbook")
    )
    _write_tables(folder, whole, random["tables"], progress)
    truth["innovation"] = innovation.write_innovation(
        folder / "innovation", economy, whole.measured.innovation, progress
    )
    truth["digital"] = _write_world_economy(folder, random["digital"], progress)
    truth |= _write_enterprises(folder, whole, market, random, progress)
    truth["history"] = history.write_history(
        folder / "history", market.economy, whole.measured.history
    )
    truth["virtual"] = _write_virtual(folder, whole, random["virtual"], progress)
    write_truth(folder / "truth.json", truth)
    _mark(folder, scale, seed, layouts)


def _mark(folder: Path, scale: str, seed: int, layouts: Mapping[str, str]) -> None:
    """Say in the folder what it is, and what it was made by."""
    (folder / "README.txt").write_text(README.format(scale=scale, seed=seed), encoding="utf-8")
    (folder / MARKER).write_text(
        json.dumps(_marker(scale, seed, layouts), indent=1) + "\n", encoding="utf-8"
    )


# Sources that draw from one stream are written in a fixed order: another order would be another
# world.
def _write_tables(
    folder: Path, whole: Whole, rng: np.random.Generator, progress: Callable[[str], None]
) -> None:
    """Input-output tables, digital finance, and the lists that draw nothing."""
    input_output.write_input_output(folder / "input_output", whole.technology, rng, progress)
    concordance.write_products(folder / "concordance")
    concordance.write_crosswalk(folder / "concordance")
    divisions.write_divisions(folder / "divisions")
    postcodes.write_postcodes(folder / "postcodes")
    geography.write_geography(folder / "geography")
    prices.write_exchange_rates(folder / "prices")
    policies.write_policies(folder / "policies")
    digital_finance.write_digital_finance(
        folder / "digital_finance", whole.economy, whole.measured.finance, rng
    )
    progress("product tables, geography, prices, policies, digital finance")


def _write_world_economy(
    folder: Path, rng: np.random.Generator, progress: Callable[[str], None]
) -> dict[str, object]:
    """What cities' exports are set against: risk, marketisation, world trade; returns how
    sophisticated each product was made.
    """
    risk.write_risk(folder / "risk", rng)
    marketisation.write_marketisation(folder / "marketisation", rng)
    order = world_trade.write_world_trade(folder / "world_trade", rng)
    progress("geopolitical risk, marketisation, world trade")
    return {"sophistication_by_product": order}


def _write_enterprises(
    folder: Path,
    whole: Whole,
    market: Market,
    random: Mapping[str, np.random.Generator],
    progress: Callable[[str], None],
) -> dict[str, object]:
    """The surveys of enterprises, some of which customs know too; returns their truth."""
    written = firms.write_industry(
        folder / "firms", whole.trading, whole.industry, market.firms, random, progress
    )
    return {"industry": industry_truth(whole.trading, whole.industry), **written}


def _write_virtual(
    folder: Path, whole: Whole, rng: np.random.Generator, progress: Callable[[str], None]
) -> dict[str, object]:
    """Census, consumer prices, reports: what virtual agglomeration is measured from; returns their
    truth.
    """
    economy = whole.economy
    output = census.write_census(folder / "census", economy, whole.census)
    census.write_trade_split(folder / "census")
    census.write_investment(folder / "census")
    prices.write_consumer_prices(folder / "prices", economy, rng)
    words = reports.write_reports(folder / "reports", economy.cities, rng)
    progress("census, consumer prices, work reports")
    return {
        "census_output_cny": output,
        "report_words": words,
        "census_bad_rows": len(census.BAD_ROWS),
    }
