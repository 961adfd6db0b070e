"""The real elasticities of Broda and Weinstein, read whole."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from warehouse.lake.loads import load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

REAL = os.environ.get("CITYTRADE_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not REAL, reason="CITYTRADE_REAL_DATA does not name the folder of the real files"
)


def test_elasticities_of_73_countries(tmp_path):
    report, _ = load_file(
        get_source("concordance"),
        Path(str(REAL)) / "concordance" / "Sigmas73countries_9403_HS3digit.dta",
        tmp_path,
    )
    rows = pd.read_parquet(
        load_folder(tmp_path, "concordance", report.load_id) / "concordance__elasticities.parquet"
    )
    assert (report.layout, report.read_n, report.set_aside) == ("broda_weinstein_hs3", 11_293, {})
    assert rows["country_name"].nunique() == 73
    china = rows[rows["country_name"] == "China"].set_index("hs3")["sigma"]
    assert len(china) == 170
    assert china.median() == pytest.approx(3.43, abs=0.005)
    assert china.min() > 1
    assert "010" in china.index
    assert set(china.index.str.len()) == {3}
