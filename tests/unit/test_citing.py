"""What to cite for a panel: citytrade, the release, and each source that the panel is made from."""

from __future__ import annotations

import duckdb
import pytest

from flows.cli import main
from flows.doors.citing import as_bibtex, as_text
from tests.conftest import MakeRelease
from warehouse import citations
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.settings.config import Config
from warehouse.sources import SOURCES, get_source


def test_a_panel_is_cited_with_all_that_it_is_made_from(small_release: Config) -> None:
    frame = citations("panel_ecommerce_resilience", config=small_release)
    found = set(frame["source"])
    assert {"yearbook", "policies", "digital_finance", "customs"} <= found
    assert not {"firms", "world_trade", "census"} & found
    assert found < set(SOURCES)
    assert frame["citation"].tolist() == [get_source(name).citation for name in frame["source"]]
    exports = set(citations("city_hs6_year", config=small_release)["source"])
    assert {"customs", "concordance", "postcodes", "divisions"} <= exports
    assert "yearbook" not in exports


def test_text_and_bibtex_name_every_source_and_say_what_is_simulated(
    small_release: Config,
) -> None:
    frame = citations("city_year", config=small_release)
    text, entries = as_text(frame), as_bibtex(frame)
    assert frame.attrs["release"] in text
    assert "SIMULATED" in text
    assert text.count("\n- ") == len(frame)
    assert entries.count("@misc{") == len(frame) + 1
    assert entries.count("SIMULATED in the format of") == len(frame)
    assert entries.count("{") == entries.count("}")
    assert "city\\_year" in entries
    assert "customs, 2000-2021: General Administration of Customs" in text


def test_what_is_real_is_not_called_simulated(small_release: Config) -> None:
    frame = citations("city_year", config=small_release)
    frame["is_simulated"], frame.attrs["simulated"] = False, False
    assert "SIMULATED" not in as_text(frame) + as_bibtex(frame)


def test_the_command_prints_them(small_release: Config, capsys: pytest.CaptureFixture[str]) -> None:
    for form, beginning in (("text", "The citytrade"), ("bibtex", "@misc"), ("csv", "source,")):
        config = str(small_release.path)
        assert main(["cite", "city_year", "--format", form, "--config", config]) == 0
        assert capsys.readouterr().out.startswith(beginning)


def test_an_unknown_panel_and_a_release_of_before_are_told(
    tiny_config: Config, make_release: MakeRelease
) -> None:
    name = make_release()
    with pytest.raises(CitytradeError, match=r"There is no panel 'city_yaer'. Nearest: city_year"):
        citations("city_yaer", config=tiny_config)
    assert citations("city_year", config=tiny_config).empty
    database = tiny_config.builds / name / "warehouse.duckdb"
    database.parent.chmod(0o755)
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute("alter table meta.panels drop column sources")
    with pytest.raises(ReleaseError, match="from before panels named their sources"):
        citations("city_year", config=tiny_config)
