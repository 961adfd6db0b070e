"""Two sites: of the small simulated release, and of one by hand in which all is wrong that can be,
with names that would like to be scripts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analysis.report.site import build_site
from flows.doors.export import save
from tests.conftest import publish_tiny, shared, unseal, write_tiny_config
from warehouse.releases.meta import STALE
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config, load_config

EVIL = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
HELD = "2007 has 5 rows where 100 were: look, then confirm"
TROUBLE = f"""
create schema seeds;
create table seeds.cities as select * from (values
    ('3100', '上海市', 'Shanghai', '31', '上海市', 'Shanghai', 121.47, 31.23),
    ('3301', '杭州市{EVIL}', 'Hangzhou{EVIL}', '33', '浙江省', 'Zhejiang{EVIL}', 120.15, 30.28),
    ('0101', '邯郸市', 'Handan', '13', '河北省', 'Hebei', 114.49, 36.61)
) t(city_code, city_name_zh, city_name_en, province_code, province_name_zh, province_name_en,
    longitude, latitude);
create schema intermediate;
create table intermediate.int_city__indicator_vintages as select * from (values
    ('3100', 'city', 'gdp_cny', 2010, 'finance_file', 1716598e6, false, true),
    ('3100', 'city', 'gdp_cny', 2010, 'sector_file', 1716598e6, false, false),
    ('3100', 'city', 'gdp_cny', 2011, 'finance_file', 1919569e6, false, true),
    ('3100', 'city', 'gdp_cny', 2011, 'sector_file', 2000968e6, false, false),
    ('3301', 'city', 'fdi_usd', 2004, 'finance_file', 5.0, true, true),
    ('3301', 'city', 'fdi_usd', 2011, 'finance_file', 1.0, true, true),
    ('3301', 'city', 'fdi_usd', 2011, '{EVIL}', 10.0, false, false)
) t(city_code, scope, indicator, year, vintage, value, is_interpolated, is_chosen);
create table intermediate.int_city__values_left_out as
    select 'fdi_usd' as indicator, 'sector_file' as vintage, 'interpolated' as problem;
alter table city_year add column is_gdp_interpolated boolean;
alter table city_year add column fdi_usd double;
update city_year set fdi_usd = year - 1999 where city_code = '3301';
update city_year set is_gdp_interpolated = (year = 2004);
update city_year set city_name_zh = '{EVIL}' where city_code = '3301';
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def built(config: Config, folder: Path) -> Path:
    """The site of a release, written once a test run."""
    with shared(folder.with_name(f"{folder.name}_lock")):
        if not folder.exists():
            build_site(config, folder, save, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def small_site(small_release: Config, place: Path) -> Path:
    return built(small_release, place / "small_site")


@pytest.fixture(scope="session")
def trouble_config(place: Path) -> Config:
    folder = place / "trouble"
    with shared(folder):
        config = load_config(write_tiny_config(folder))
        if not config.current.exists():
            former = publish_tiny(config)
            name = publish_tiny(config, marker=2, change=TROUBLE, moment=after(former))
            tell_troubles(config.builds / name)
    return config


@pytest.fixture(scope="session")
def trouble_site(trouble_config: Config, place: Path) -> Path:
    return built(trouble_config, place / "trouble_site")


def after(release: str) -> datetime:
    made = datetime.strptime(release.split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return made + timedelta(seconds=1)


def tell_troubles(folder: Path) -> None:
    """Sources that are held, failed, stale and absent, a failed check, and evil file names."""
    unseal(folder)
    stale = STALE.format(through=2016, last=2005)
    sources = [
        ("customs", "loaded", stale), ("yearbook", "held", HELD), ("firms", "failed", EVIL),
        ("reports", "not_configured", ""), ("prices", "loaded", ""),
    ]  # fmt: skip
    with duckdb.connect(str(folder / DATABASE)) as connection:
        for name, status, message in sources:
            connection.execute(
                "insert into meta.sources values (?, ?, 'a publisher', 'open', ?, ?, true, 1, 10,"
                " 8, 2, 2003, 2005, ?)",
                [name, f"title of {name}", EVIL, status, message],
            )
        connection.execute("update meta.panels set sources = 'customs, yearbook'")
        connection.execute(
            "insert into meta.loads values ('customs', 'a', ?, 'f00', 10, '2007', 10, 8, 2,"
            " 'customs__records 8', 2003, 2005)",
            [f"{EVIL}.csv"],
        )
        connection.execute(
            "insert into meta.files values ('1', 'customs', 'a', ?, 'f00', 10)", [f"{EVIL}.csv"]
        )
        connection.execute(
            "insert into meta.columns values ('customs', 'a', ?, null, ?, null, 'nobody reads it')",
            [f"{EVIL}.csv", EVIL],
        )
        connection.execute(
            "insert into meta.set_aside_counts values ('customs', 'customs__records', 'bad_date',"
            " 2, 2)"
        )
        connection.execute(
            "insert into meta.checks values ('panel', 'city_year', 'city_year', 'export_value_usd',"
            " 'between', 'warning', false, false, 3, ?, null)",
            [EVIL],
        )


Build = Callable[[Path], str]


@pytest.fixture
def build(trouble_config: Config) -> Build:
    """Builds the site of the troubled release into a folder."""
    return lambda out: build_site(trouble_config, out, save, lambda _: None)


@pytest.fixture(scope="session")
def real_site(place: Path) -> Path:
    """The site of a release by hand that is not simulated."""
    folder = place / "real"
    with shared(folder):
        config = load_config(write_tiny_config(folder))
        if not config.current.exists():
            publish_tiny(config, is_simulated=False)
    return built(config, place / "real_site")
