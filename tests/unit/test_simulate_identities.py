"""Which enterprise of the simulated survey is which exporter of customs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from warehouse.simulate.model.firms import Firms, telephone
from warehouse.simulate.model.identities import SHOWN, Identities, build_identities
from warehouse.simulate.model.industry import SURVEY_YEARS, Industry
from warehouse.simulate.model.trade import build_market
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.world import streams


@dataclass(frozen=True)
class Drawn:
    whole: Whole
    industry: Industry
    firms: Firms
    own: list[str]
    who: Identities


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    random = streams(5)
    whole = whole_economy("small", random)
    firms = build_market(whole.trading, 800, random["market"]).firms
    own = [f"甲乙{i}制造厂" for i in range(whole.industry.count)]
    who = build_identities(whole.trading, whole.industry, own, firms, random["identities"])
    return Drawn(whole, whole.industry, firms, own, who)


def test_enterprises_that_export_are_makers_of_their_city_one_each(drawn: Drawn) -> None:
    known = np.flatnonzero(drawn.who.firm >= 0)
    firm = drawn.who.firm[known]
    assert len(known) > 300 and len(np.unique(firm)) == len(firm)
    assert (drawn.firms.place[firm] == drawn.industry.city[known]).all()
    assert not drawn.firms.is_intermediary[firm].any()
    assert (drawn.industry.export_share[known, 0] > 0).all()


def test_a_larger_exporter_is_a_larger_enterprise(drawn: Drawn) -> None:
    known = np.flatnonzero(drawn.who.firm >= 0)
    workers = np.log(drawn.industry.workers[known]).mean(axis=1)
    assert np.corrcoef(workers, drawn.firms.ln_size[drawn.who.firm[known]])[0, 1] > 0.5


def test_nobody_opened_after_customs_or_the_survey_first_saw_him(drawn: Drawn) -> None:
    known = drawn.who.firm >= 0
    assert (drawn.who.opening <= drawn.industry.opening).all()
    assert (drawn.who.opening[known] <= drawn.firms.entry[drawn.who.firm[known]]).all()
    assert (drawn.who.opening[~known] == drawn.industry.opening[~known]).all()


def test_each_shows_himself_as_he_is_said_to(drawn: Drawn) -> None:
    who, firms = drawn.who, drawn.firms
    counts = Counter(who.shown)
    assert set(counts) == {*SHOWN, ""}
    seven = Counter(number[-7:] for number in who.telephone if number)
    for i in np.flatnonzero(who.firm >= 0).tolist():
        firm, kind = int(who.firm[i]), who.shown[i]
        (first,), (last,) = (who.names_in(year, np.array([i])) for year in (2000, 2013))
        same = {name == firms.names[firm] for name in (first, last)}
        if kind in ("telephone", "nothing", "name_written_otherwise"):
            assert same == {False}
        elif kind in ("name", "name_shared"):
            assert same == {True}
        else:
            assert last == firms.names[firm]
        if kind == "telephone":
            assert who.telephone[i] == telephone(firm)
            assert seven[who.telephone[i][-7:]] == 1
        if kind == "nothing":
            assert who.telephone[i] == ""


def test_a_shared_name_is_borne_by_two_in_one_year(drawn: Drawn) -> None:
    who, there = drawn.who, drawn.industry.present
    for i in [i for i, kind in enumerate(who.shown) if kind == "name_shared"]:
        others = [j for j, name in enumerate(who.name) if name == who.name[i] and j != i]
        assert len(others) == 1 and who.firm[others[0]] < 0
        assert (there[i] & there[others[0]]).any()


def test_telephones_of_customs_are_one_each_and_some_state_none(drawn: Drawn) -> None:
    stated = [number[-7:] for number in drawn.firms.telephones if number]
    assert len(set(stated)) == len(stated)
    assert 0.9 < len(stated) / drawn.firms.count < 0.97
    assert len(SURVEY_YEARS) == 14
