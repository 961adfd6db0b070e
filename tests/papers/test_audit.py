"""The audit: ten planted faults are found and nothing else, the papers' stars that are right are
silent, and the examples that a second reading found are found.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.papers import FOLDER, PUBLISHED_COLUMNS
from analysis.report.audit import audit_file, audit_folder
from flows.cli import main as citytrade

SLUGS = sorted(file.parent.name for file in FOLDER.glob("*/published.csv"))
# Two regression tables and one of statistics, in which nothing is wrong.
SOUND = """1,mean,y,0.50,,,,
1,mean,x,10.2,,,,
1,mean,iv,3.0,,,,
1,sd,y,0.20,,,,
1,sd,x,0.5,,,,
1,sd,iv,1.0,,,,
1,min,y,0.00,,,,
1,min,x,8.8,,,,
1,min,iv,0.5,,,,
1,max,y,1.00,,,,
1,max,x,12.1,,,,
1,max,iv,9.5,,,,
1,N,y,2000,,,,
1,N,x,2000,,,,
1,N,iv,2000,,,,
2,1,x,0.120,0.040,se,***,
2,1,N,2000,,,,
2,1,Number of cities,200,,,,
2,1,R2,0.310,,,,
2,2,x,0.110,0.050,se,**,
2,2,w,-0.030,0.025,se,,
2,2,N,2000,,,,
2,2,Number of cities,200,,,,
2,2,R2,0.320,,,,
2,3,x,0.131,0.041,se,***,
2,3,N,1200,,,,
2,3,R2,0.350,,,,
2,4,x,0.102,0.055,se,*,
2,4,N,800,,,,
2,4,R2,0.290,,,,
2,5,x,0.105,0.052,se,**,
2,5,N,900,,,,
2,5,R2,0.333,,,,
2,6,x,0.115,0.049,se,**,
2,6,N,1100,,,,
2,6,R2,0.341,,,,
3,1,iv,0.500,0.100,se,***,
3,1,first-stage F,25.00,,,,
3,1,N,2000,,,,
3,2,x,0.240,2.600,t,***,
3,2,v,-0.110,-1.200,t,,
3,2,N,2000,,,,
3,2,R2,0.045,,,,
3,2,AR(2) p value,0.310,,,,
""".splitlines()
FAULTS = {  # rule -> a sound line, and the line in its place
    "stars": ("2,1,x,0.120,0.040,se,***,", "2,1,x,0.120,0.400,se,***,"),
    "sign": ("3,2,x,0.240,2.600,t,***,", "3,2,x,0.240,-2.600,t,***,"),
    "rows": ("2,1,Number of cities,200,,,,", "2,1,Number of cities,180,,,,"),
    "R2 range": ("2,3,R2,0.350,,,,", "2,3,R2,1.350,,,,"),
    "parts": ("2,5,N,900,,,,", "2,5,N,1900,,,,"),
    "first stage": ("3,1,first-stage F,25.00,,,,", "3,1,first-stage F,12.00,,,,"),
    "moments": ("1,sd,y,0.20,,,,", "1,sd,y,0.70,,,,"),
    "extreme": ("1,min,x,8.8,,,,", "1,min,x,4.1,,,,"),
    "p range": ("3,2,AR(2) p value,0.310,,,,", "3,2,AR(2) p value,3.100,,,,"),
    "decimals": ("2,6,R2,0.341,,,,", "2,6,R2,0.34,,,,"),
}


def written(folder: Path, lines: list[str]) -> Path:
    file = folder / "published.csv"
    file.write_text("\n".join([",".join(PUBLISHED_COLUMNS), *lines]) + "\n", encoding="utf-8")
    return file


def test_a_sound_paper_is_silent(tmp_path: Path) -> None:
    assert audit_file(written(tmp_path, SOUND), [2001, 2010]) == []


def test_ten_planted_faults_are_found_and_nothing_else(tmp_path: Path) -> None:
    replaced = dict(FAULTS.values())
    assert len(replaced) == 10 and set(replaced) <= set(SOUND)
    lines = [replaced.get(line, line) for line in SOUND]
    found = audit_file(written(tmp_path, lines), [2001, 2010])
    assert sorted(one.rule for one in found) == sorted(FAULTS), [one.place for one in found]
    assert found[0].weight == "changes the conclusion"
    assert found[-1].weight == "rounding"


@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_alone(tmp_path: Path, rule: str) -> None:
    old, new = FAULTS[rule]
    lines = [new if line == old else line for line in SOUND]
    assert [one.rule for one in audit_file(written(tmp_path, lines), [2001, 2010])] == [rule]


@pytest.mark.parametrize(
    ("coefficient", "bracket", "kind", "stars", "wrong"),
    [
        ("0.002", "2.587", "t", "**", False),  # normal: three stars; 247 degrees of freedom: two
        ("0.002", "2.587", "t", "***", False),
        ("0.002", "1.60", "t", "*", True),
        ("0.10", "0.05", "se", "**", False),  # 0.095/0.055 to 0.105/0.045: anything
        ("0.100", "0.080", "se", "*", True),
        ("0.5", "0.03", "p", "**", False),
        ("0.5", "0.03", "p", "***", True),
        ("0.5", "0.20", "p", "*", True),
    ],
)
def test_stars_by_hand(
    tmp_path: Path, coefficient: str, bracket: str, kind: str, stars: str, wrong: bool
) -> None:
    line = f"2,1,x,{coefficient},{bracket},{kind},{stars},"
    file = written(tmp_path, [line, "2,2,x,9.0,0.01,p,***,"])
    assert [one.rule for one in audit_file(file)] == (["stars"] if wrong else [])


def test_stars_that_are_right_raise_no_alarm() -> None:
    found = {
        slug: [one.place for one in audit_folder(FOLDER / slug) if one.rule in ("stars", "sign")]
        for slug in SLUGS
    }
    sound = ("agglomeration_exports", "ecommerce_resilience", "virtual_agglomeration_quality")
    assert [found[slug] for slug in sound] == [[], [], []]
    assert "table 4 (2) dig" in found["digital_export_resilience"]
    assert "table 6 (1) PSD" in found["agglomeration_resilience"]


@pytest.mark.parametrize(
    ("slug", "rule", "place", "arithmetic"),
    [
        ("agglomeration_exports", "rows", "table 1 (1)", "280 units times 8 years"),
        ("agglomeration_exports", "rows", "table 6 (1)", "875 rows, but 102 units"),
        ("agglomeration_exports", "text", "table 1 (1)", "0.0395"),
        ("agglomeration_resilience", "R2 range", "table 9 (3)", "6.363"),
        ("agglomeration_resilience", "extreme", "table 1 PGDP", "= 99"),
        ("agglomeration_resilience", "parts", "table 7 (5), (6)", "220 + 185 = 405"),
        ("agglomeration_resilience", "repeated", "table 4 (1)", "table 3 (1)"),
        ("agglomeration_resilience", "digit lost", "table 4 (2) W.ER", "11.359"),
        ("agglomeration_resilience", "repeated R2", "table 8", "table 7"),
        ("digital_export_resilience", "stars", "table 4 (2) dig", "|t| = 1.605"),
        ("digital_export_resilience", "first stage", "table 5 (4)", "9.35 to 9.36"),
        ("digital_export_resilience", "Sobel", "table 8 (2) Sobel", "z = 0.879"),
        ("digital_export_resilience", "rows added", "table 9 (2)", "3172"),
        ("ecommerce_resilience", "text", "table 5 (5)", "column 4"),
        ("virtual_agglomeration_quality", "repeated", "table 3 (1)", "table 2 (4)"),
        ("virtual_agglomeration_quality", "too large", "table 3 (5) vagg", "13.7760 x sd 0.084"),
        ("virtual_agglomeration_quality", "rows added", "table 8 (6)", "d_coa loses a year"),
        ("virtual_agglomeration_quality", "decimals", "table 4 (3) R2", "0.072"),
    ],
)
def test_what_a_second_reading_found_is_found(
    slug: str, rule: str, place: str, arithmetic: str
) -> None:
    found = [one for one in audit_folder(FOLDER / slug) if one.rule == rule]
    assert [one for one in found if one.place.startswith(place) and arithmetic in one.arithmetic]


def test_the_command_reads_a_file_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = FAULTS["stars"]
    file = written(tmp_path, [new if line == old else line for line in SOUND])
    assert citytrade(["audit", "--file", str(file)]) == 0
    assert "changes the conclusion, certain. table 2 (1) x: 0.120*** (0.400)" in (
        capsys.readouterr().out
    )
    assert citytrade(["audit", "--file", str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["rule"] == "stars"
    assert citytrade(["audit", "ecommerce_resiliense"]) == 1
    assert "Nearest: ecommerce_resilience" in capsys.readouterr().err
