"""Ctrl-C while files are read: what was read stands, nothing half is taken for whole, no process is
left, and the next run goes on from there.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from flows.refresh.reading import BIG_BYTES, Reader
from tests.conftest import PATIENCE_SECONDS, PROJECT, environment

HEAD = (
    "日期,进口或出口,HS编码,金额,数量,数量单位,企业编码,经营单位,消费地或生产地,起运国或目的国,"
    "贸易方式,邮编\n"
)
READ = """
import sys
from pathlib import Path
from flows.refresh.reading import Reader

if __name__ == "__main__":
    with Reader(Path(sys.argv[1]), print) as reader:
        reader.read("customs", [Path(file) for file in sys.argv[2:]], {})
"""


def write_records(file: Path, rows_n: int) -> Path:
    row = "2015-03,出口,84713000,{},25,台,3301000001,示例公司,33019,美国,一般贸易,310000\n"
    rows = (row.format(value) for value in range(1, rows_n + 1))
    file.write_text(HEAD + "".join(rows), encoding="utf-8")
    return file


def whole_loads(lake: Path) -> list[Path]:
    return sorted(lake.glob("loads/customs/[!.]*"))


def is_any_left(group: int) -> bool:
    return bool(subprocess.run(["pgrep", "-g", str(group)], capture_output=True).stdout)


def test_ctrl_c_leaves_loads_that_stand_and_the_next_run_goes_on(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    files = [write_records(tmp_path / f"big{n}.csv", 200_000 + n) for n in (1, 2)]
    files.append(write_records(tmp_path / "small.csv", 10))
    assert files[0].stat().st_size > BIG_BYTES > files[2].stat().st_size
    script = tmp_path / "read.py"
    script.write_text(READ, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script), str(lake), *map(str, files)],
        cwd=PROJECT,
        env=environment(),
        start_new_session=True,  # a group of its own, all of which Ctrl-C reaches
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not whole_loads(lake) and time.monotonic() < deadline:
        time.sleep(0.02)
    before = whole_loads(lake)
    subprocess.run(["kill", "-INT", "--", f"-{process.pid}"], check=True)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -signal.SIGINT, told
    while is_any_left(process.pid):
        assert time.monotonic() < deadline, "a reader outlives who started it"
        time.sleep(0.1)
    assert set(before) <= set(whole_loads(lake))

    stood, said = whole_loads(lake), list[str]()
    with Reader(lake, said.append) as reader:
        reports = reader.read("customs", files, {})
    assert [report.accepted_n for report in reports] == [200_001, 200_002, 10]
    assert f"{len(stood)} of them already in the lake" in said[-1]
