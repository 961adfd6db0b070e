"""The configuration: every mistake in it is one sentence, and wildcards count only where the user
wrote them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.refresh.dbt import variables
from flows.refresh.inputs import find_inputs
from warehouse.errors import ConfigError
from warehouse.settings.config import load_config
from warehouse.settings.patterns import matched_files

ELSEWHERE = '[warehouse]\nhome = "../home"\n'


def config_of(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "citytrade.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[warehouse]\nhome = 5", r"\[warehouse\]: home = 5 is not a path"),
        ("[warehouse]\nmemory = 2", r"\[warehouse\]: memory = 2 is no size. Write for example"),
        ('[warehouse]\nmemory = "two"', "memory = 'two' is no size"),
        ('[warehouse]\nmemory = "100MB"', "'100MB' is too little .* Allow 256MB or more"),
        ("warehouse = 3", r"warehouse = 3 is not a table. Write \[warehouse\]"),
        ("sources = 3", "sources = 3 is not a table"),
        ("[sources]\ncustoms = 3", r"sources.customs = 3 is not a table"),
        ("[sources.customs]\nfiles = 3", "files must be a list of patterns"),
        ('[sources.prices]\nfiles = ["a"]\nflow = "export"', "unknown key 'flow'. Known: files"),
        (
            '[sources.customs]\nfiles = ["a"]\nflwo = "export"',
            "unknown key 'flwo'. Did you mean 'flow'",
        ),
        (
            '[sources.customs]\nfiles = ["a"]\nflow = "exprot"',
            "flow = 'exprot'. Did you mean 'export'",
        ),
        ('[sources.customs]\nfiles = ["a"]\nflow = 0', "flow = 0. It is 'export' or 'import'"),
        (
            '[sources.customs]\nfiles = ["a"]\nimport_files = "*in.csv"',
            "import_files must be a list of file names or patterns",
        ),
        ("simulate = true", "simulate = True is not a table"),
        ('[simulate]\nseed = "abc"', "seed = 'abc' is not a whole number"),
        ("[simulate]\nseed = true", "seed = True is not a whole number"),
        ("choices = 3", r"\[choices\]: choices are settings"),
        (
            "[choices]\nuse_interpolate = true",
            "no choice 'use_interpolate'. Did you mean use_",
        ),
        ("[choices]\nfirst_year = 2003", "first_year stands under .warehouse."),
        ("[choices]\nuse_interpolated = 1", "1 is of another kind than its default, False"),
        ("[choices]\nquality_records_minimum = true", "True is of another kind than its default"),
        ("[choices]\nquality_records_minimum = 0", "quality_records_minimum = 0 is below one"),
        ('[choices]\nquality_elasticity = "mine"', "It is one of published, estimated"),
        ('[choices]\ninput_output_tables = "2018"', "It is one of national 2021, icio 2021,"),
        ("[simulate]\ndirectory = 3", "directory = 3 is not a path"),
        ("[simulate]\nscale = 3", "scale = 3; it is"),
        ('[warehouse]\nfirst_year = "2003"', "not two years in order"),
        ('[warehouse]\nhome = "a\\u0000b"', "is not a path"),
        ('[sources.customs]\nfiles = ["a\\u0000b"]', "files must be a list of patterns"),
        ("[warehouse]\nhome = \0", "not valid TOML"),
        (f"a = {'[' * 100_000}", "brackets are nested without end|not valid TOML"),
        (f"a = {'{a=' * 50_000}", "brackets are nested without end|not valid TOML"),
        ("#" * 5_000_000, "no configuration is"),
    ],
)
def test_a_value_of_another_kind_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(config_of(tmp_path, text))


def test_what_customs_files_cannot_say_becomes_options(tmp_path: Path) -> None:
    text = (
        '[sources.customs]\nfiles = ["a"]\nflow = "export"\nimport_files = ["*in.csv", "b.csv"]\n'
        '[sources.prices]\nfiles = ["a"]'
    )
    sources = load_config(config_of(tmp_path, text)).sources
    assert sources["customs"].options == {"flow": "export", "import_files": "*in.csv\nb.csv"}
    assert sources["prices"].options == {}


@pytest.mark.parametrize("name", ["a [1]", "o'brien", "[x]*?"])
def test_signs_in_folder_names_are_no_wildcards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    raw = tmp_path / name / "raw"
    raw.mkdir(parents=True)
    (raw / "a.csv").write_text("x", encoding="utf-8")
    (raw / "[b].csv").write_text("x", encoding="utf-8")
    monkeypatch.setenv("RAW_FOLDER", str(raw))
    sources = (
        '[sources.customs]\nfiles = ["raw/*.csv"]\n[sources.prices]\n'
        'files = ["${RAW_FOLDER}/a.csv"]\n'
    )
    config = load_config(config_of(tmp_path / name, ELSEWHERE + sources))
    assert matched_files(config.sources["customs"].patterns) == [raw / "[b].csv", raw / "a.csv"]
    assert matched_files(config.sources["prices"].patterns) == [raw / "a.csv"]
    absent = load_config(
        config_of(tmp_path / name, f'{ELSEWHERE}[sources.customs]\nfiles = ["raw/*.xlsx"]')
    )
    with pytest.raises(ConfigError) as told:
        matched_files(absent.sources["customs"].patterns)
    assert str(told.value).startswith(f"{raw}/*.xlsx: no file matches")


def test_a_link_out_of_a_bracketed_folder_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / "a [1]" / "raw"
    raw.mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("x", encoding="utf-8")
    (raw / "link.csv").symlink_to(tmp_path / "secret.csv")
    config = load_config(config_of(tmp_path / "a [1]", '[sources.customs]\nfiles = ["raw/*"]'))
    with pytest.raises(ConfigError, match="leads out of"):
        matched_files(config.sources["customs"].patterns)


@pytest.mark.parametrize("sign", ["#", "?", "%"])
def test_a_home_whose_name_no_database_can_bear_is_refused_by_name(
    tmp_path: Path, sign: str
) -> None:
    with pytest.raises(
        ConfigError,
        match=(
            f"home = .*a{re.escape(sign)}b.* holds {re.escape(sign)}, with which no database can be"
            " kept there"
        ),
    ):
        load_config(config_of(tmp_path, f'[warehouse]\nhome = "a{sign}b"'))


@pytest.mark.parametrize("name", ["a b", "o'brien", "数据", "a[1]", "a;b", "a&b"])
def test_other_names_of_homes_are_taken(tmp_path: Path, name: str) -> None:
    assert load_config(config_of(tmp_path, f'[warehouse]\nhome = "{name}"')).home == tmp_path / name


def test_a_choice_reaches_the_models_and_is_a_reason_to_refresh(tmp_path: Path) -> None:
    made = 'quality_elasticity = "estimated"\nuse_interpolated = true'
    plain = load_config(config_of(tmp_path / "a", ELSEWHERE))
    chosen = load_config(config_of(tmp_path / "b", f"{ELSEWHERE}[choices]\n{made}"))
    assert variables(plain) == {"first_year": 2000, "last_year": 2021}
    assert variables(chosen) == {
        **variables(plain),
        "quality_elasticity": "estimated",
        "use_interpolated": True,
    }
    assert find_inputs(plain).fingerprint != find_inputs(chosen).fingerprint
