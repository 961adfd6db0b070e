from __future__ import annotations

import pytest

from warehouse.errors import SourceError

FLOWS = "t,i,j,k,v,q\n"
PREAMBLE = '"Data Source","World Development Indicators",\n\n"Last Updated Date","2023-07-25",\n\n'
HEADS = '"Country Name","Country Code","Indicator Name","Indicator Code","2010","2011",\n'


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_flows_are_summed_over_importers(load, tmp_path):
    text = (
        FLOWS + "2011,156,842,10121,1.500,0.1\n2011,156,392,010121,0.001,          NA\n"
        "2011,156,392,847130,10.000,1\n2011,842,156,10121,2.5,1\n"
    )
    report, tables, aside = load(
        "world_trade", write(tmp_path / "BACI_HS02_Y2011_V202301.csv", text)
    )
    assert report.layout == "baci_flows"
    assert report.read_n == 3  # rows of the lake: one an exporter and product
    assert aside.empty
    rows = tables["world_trade__flows"]
    assert rows[["line", "year", "exporter_code", "hs6", "value_usd",
        "partners_n"]].values.tolist() == [
        [2, 2011, "156", "010121", 1501, 2], [4, 2011, "156", "847130", 10000, 1], [5, 2011, "842",
        "010121", 2500, 1],
    ]  # fmt: skip


def test_bad_flows_are_set_aside(load, tmp_path):
    text = (
        FLOWS + "2011,156,842,10121,1.5,1\n11,156,842,10121,1,1\n2011,CHN,842,10121,1,1\n"
        "2011,156,392,8471,1,1\n2011,156,392,847130,NA,1\n2011,156,8,847130,-1,1\n"
    )
    report, tables, aside = load("world_trade", write(tmp_path / "b.csv", text))
    assert aside["reason"].to_list() == [
        "bad_year",
        "bad_code",
        "bad_hs_code",
        "bad_number",
        "negative_value",
    ]
    assert aside["line"].to_list() == [3, 4, 5, 6, 7]
    assert aside["detail"].iloc[3] == "2011,156,392,847130,NA"
    assert report.read_n == 6
    assert len(tables["world_trade__flows"]) == 1


def test_flows_given_twice_are_refused(load, tmp_path):
    row = "2011,156,842,10121,1.5,1\n"
    with pytest.raises(SourceError, match="more than once"):
        load("world_trade", write(tmp_path / "b.csv", FLOWS + row + row))
    with pytest.raises(SourceError, match="no rows"):
        load("world_trade", write(tmp_path / "c.csv", FLOWS))


def test_a_file_that_is_cut_off_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="not a readable csv"):
        load(
            "world_trade",
            write(tmp_path / "b.csv", FLOWS + "2011,156,842,10121,1.5,1\n" * 1 + "2011,156,84"),
        )


def test_countries_in_both_editions(load, tmp_path):
    new = (
        "country_code,country_name,country_iso2,country_iso3\n4,Afghanistan,AF,AFG\n"
        "490,Other Asia n.e.s.,S19,S19\n4,Again,AF,AFG\nx,Nowhere,NO,NOR\n"
    )
    _, tables, aside = load("world_trade", write(tmp_path / "country_codes_V202301.csv", new))
    assert tables["world_trade__countries"][["exporter_code", "iso3"]].values.tolist() == [
        ["4", "AFG"],
        ["490", "S19"],
    ]
    assert aside["reason"].to_list() == ["duplicate_key", "bad_code"]
    old = (
        "country_code,country_name_abbreviation,country_name_full,iso_2digit_alpha,"
        "iso_3digit_alpha\n036,Australia,Australia,AU,AUS\n"
    )
    _, tables, _ = load("world_trade", write(tmp_path / "country_codes_V202001.csv", old))
    assert tables["world_trade__countries"]["exporter_code"].to_list() == ["36"]


def test_income(load, tmp_path):
    text = (
        PREAMBLE
        + HEADS
        + '"China","CHN","GDP per capita (constant 2015 US$)","NY.GDP.PCAP.KD","5647.1","6152.7",\n'
        + '"Nowhere","NOW","GDP per capita (constant 2015 US$)","NY.GDP.PCAP.KD","","-3",\n'
    )
    report, tables, aside = load(
        "world_trade", write(tmp_path / "API_NY.GDP.PCAP.KD_DS2_en_csv_v2.csv", "\ufeff" + text)
    )
    assert report.layout == "wdi_csv"
    rows = tables["world_trade__income"]
    assert rows[["line", "iso3", "indicator_code", "year", "gdp_per_head_usd"]].values.tolist() == [
        [6, "CHN", "NY.GDP.PCAP.KD", 2010, 5647.1], [6, "CHN", "NY.GDP.PCAP.KD", 2011, 6152.7],
    ]  # fmt: skip
    assert aside[["line", "reason"]].values.tolist() == [[7, "negative_value"]]


def test_another_series_of_the_bank_is_refused(load, tmp_path):
    text = (
        PREAMBLE + HEADS + '"China","CHN","Population","SP.POP.TOTL","1337705000","1345035000",\n'
    )
    with pytest.raises(SourceError, match="SP.POP.TOTL, not GDP per head"):
        load("world_trade", write(tmp_path / "api.csv", text))


def test_an_open_quote_swallows_no_flow(load, tmp_path):
    text = (
        FLOWS + '2011,156,842,"010121,1.5,0.1\n2011,156,392,10122,2,1\n'
        '"2011",156,842,847130,"10.0",1\n2011,156,"x,1,1,1\n'
    )
    _, tables, aside = load("world_trade", write(tmp_path / "BACI_HS02_Y2011_V202301.csv", text))
    assert tables["world_trade__flows"][["line", "hs6"]].values.tolist() == [
        [2, "010121"],
        [3, "010122"],
        [4, "847130"],
    ]
    assert aside[["line", "reason"]].values.tolist() == [[5, "bad_code"]]


def test_a_head_that_only_begins_like_one_is_none(load, tmp_path):
    text = (
        PREAMBLE
        + HEADS.replace('"Country Name"', '"1e999Country Name"')
        + '"China","CHN","GDP per capita","NY.GDP.PCAP.KD","1","2",\n'
    )
    with pytest.raises(SourceError, match="shows none of the layouts known"):
        load("world_trade", write(tmp_path / "API_NY.GDP.PCAP.KD.csv", text))


def test_a_line_that_was_passed_over_is_missed(load, tmp_path):
    row = "2011,156,842,10121,1.5,0.1\n"
    assert (
        load("world_trade", write(tmp_path / "BACI_HS02_Y2011_V202301.csv", FLOWS + row + "\n\n"))[
            0
        ].read_n
        == 1
    )
    with pytest.raises(SourceError, match="has 3 lines below its header, of which 2 could be read"):
        load(
            "world_trade",
            write(
                tmp_path / "BACI_HS02_Y2012_V202301.csv",
                FLOWS + row + "\n" + row.replace("842", "392"),
            ),
        )
