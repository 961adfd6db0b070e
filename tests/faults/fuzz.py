"""Feed mutated files to every reader: none may crash, hang, leave its folder, or lose a row.

python -m tests.faults.fuzz --files 10000      prints what became of them, by source
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path

from tests.faults.seeds import LARGEST, Seed, candidates
from warehouse.errors import SourceError
from warehouse.simulate import simulate
from warehouse.sources import SOURCES, get_source
from warehouse.sources.reading.loading import load_file

# Of the processor's time, so that a busy machine makes no file hang: a mutated file of a few
# hundred kB that takes longer hangs its source.
SECONDS = 20
PATIENCE = 600  # of the clock's: beyond that the worker itself is stuck in a library, or sleeps
MEMORY = 6 * 1024**3
SPLICES = (
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b",",
    b";",
    b"=1+1",
    b"../../x",
    b"1e999",
    b"-1",
    b"NaN",
    b"99999999999999999999",
    b"\xef\xbb\xbf",
    "，".encode(),
    "省".encode("gb18030")[:1],
)


@dataclass(frozen=True)
class Outcome:
    """What became of one mutated file: accepted | refused | broke | hung | lost_rows | strayed."""

    source: str
    kind: str
    case: str
    detail: str
    seconds: float


class HungError(BaseException):
    """A file took longer than it may; no handler of errors in a reader may take it for one of a
    damaged file.
    """


def seeds(world: Path) -> list[Seed]:
    """Small whole files of every source and layout, each as its reader takes it."""
    found: dict[tuple[str, str], Seed] = {}
    with tempfile.TemporaryDirectory(prefix="citytrade-seeds-") as name:
        for forms in candidates(world, Path(name)):
            taken = next(
                (form for form in forms if len(form.content) <= LARGEST and _is_taken(form)), None
            )
            if taken is not None:
                found.setdefault((taken.source, taken.name), taken)
    missing = sorted({*SOURCES} - {source for source, _ in found})
    if missing:
        raise ValueError(f"no file of {', '.join(missing)} can be a seed")
    return list(found.values())


def _is_taken(seed: Seed) -> bool:
    with tempfile.TemporaryDirectory(prefix="citytrade-fuzz-") as name:
        file = Path(name) / seed.name
        file.write_bytes(seed.content)
        return _read(seed.source, file, Path(name) / "lake")[0] == "accepted"


def mutate(seed: Seed, rng: random.Random) -> bytes:
    """The seed's bytes, broken in one to four places; inside an archive as often as around it."""
    if zipfile.is_zipfile(io.BytesIO(seed.content)) and rng.random() < 0.7:
        return _inside(seed.content, rng)
    return _broken(seed.content, rng)


def _inside(content: bytes, rng: random.Random) -> bytes:
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        broken = rng.choice(names)
        for name in names:
            part = old.read(name)
            if name == broken and rng.random() < 0.1:
                continue
            new.writestr(
                (
                    rng.choice([name, "../" + name, "/etc/" + name, name * 3, _odd_text(rng)])
                    if name == broken and rng.random() < 0.1
                    else name
                ),
                _broken(part, rng) if name == broken else part,
            )
    return sink.getvalue()


def _odd_name(name: str, rng: random.Random) -> str:
    """The name as it is, or now and then random bytes with its ending: what an archive of another
    encoding leaves when it is unpacked.
    """
    if rng.random() < 0.75:
        return name
    wild = bytes(rng.choice(range(1, 256)) for _ in range(rng.randint(1, 40)))
    return os.fsdecode(wild.replace(b"/", b"_")) + "".join(Path(name).suffixes[-1:])


def _odd_text(rng: random.Random) -> str:
    """A name in an archive, of any characters that one byte can be."""
    return "".join(chr(rng.randint(1, 255)) for _ in range(rng.randint(1, 40)))


def _broken(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        content = rng.choice(MUTATIONS)(content, rng)
    return content


def _place(content: bytes, rng: random.Random) -> int:
    """Somewhere in the content, in its head as often as behind it."""
    return (
        rng.randrange(min(len(content), 2000) if rng.random() < 0.5 else len(content))
        if content
        else 0
    )


def _flip(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: _place(content, rng)]


def _drop(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + rng.randint(1, 200) :]


def _splice(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.choice(SPLICES) * rng.choice([1, 1, 1, 500]) + content[at:]


def _double(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join([*lines[:at], lines[at], *lines[at:]])


def _swap(content: bytes, rng: random.Random) -> bytes:
    fields = content.split(b",")
    if len(fields) < 3:
        return content[::-1]
    one, other = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[one], fields[other] = fields[other], fields[one]
    return b",".join(fields)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _drop,
    _splice,
    _splice,
    _double,
    _swap,
)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HungError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def try_one(seed: Seed, number: int) -> Outcome:
    """Read one mutated file in a folder of its own, and look at what the reader did."""
    case = f"{seed.name} #{number}"
    # What no alarm interrupts, a library, is named on the standard error.
    faulthandler.dump_traceback_later(PATIENCE // 2)
    start = time.process_time()
    with tempfile.TemporaryDirectory(prefix="citytrade-fuzz-") as name:
        folder = Path(name)
        (folder / "raw").mkdir()
        rng = random.Random(f"{seed.source}/{case}")
        content = mutate(seed, rng)
        file = folder / "raw" / _odd_name(seed.name, rng)
        file.write_bytes(content)
        kind, detail = _read(seed.source, file, folder / "lake")
        if kind in ("accepted", "refused"):
            stray = sorted(
                str(path.relative_to(folder))
                for path in folder.rglob("*")
                if path.is_file() and path != file and not path.is_relative_to(folder / "lake")
            )
            if stray or (folder / "raw").stat().st_nlink != 2:
                kind, detail = "strayed", ", ".join(stray)
        faulthandler.cancel_dump_traceback_later()
        return Outcome(seed.source, kind, case, detail, time.process_time() - start)


def _read(source: str, file: Path, lake: Path) -> tuple[str, str]:
    options = {"flow": "export"} if source == "customs" else {}
    try:
        with at_most(SECONDS):
            report, _ = load_file(get_source(source), file, lake, options)
    except SourceError as error:
        text = str(error)
        return ("lost_rows", text) if "rows read, but" in text else ("refused", text)
    except HungError:
        return "hung", f"more than {SECONDS} s of the processor's time"
    except Exception as error:
        return "broke", f"{type(error).__name__}: {error}"
    if report.read_n != report.accepted_n + report.set_aside_n:
        return (
            "lost_rows",
            f"{report.read_n} read, {report.accepted_n} accepted, {report.set_aside_n} set aside",
        )
    return "accepted", ""


def _limit() -> None:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def fuzz(
    world: Path,
    files_n: int,
    first: int = 0,
    workers: int = 2,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Read so many mutated files, spread over all seeds; the same numbers are always the same
    files.
    """
    found = seeds(world)
    jobs = [(found[at % len(found)], first + at // len(found)) for at in range(files_n)]
    outcomes: list[Outcome] = []
    pool: Pool | None = None
    context = multiprocessing.get_context("spawn")
    at = 0
    while at < len(jobs):
        pool = pool or context.Pool(workers, initializer=_limit, maxtasksperchild=400)
        batch = jobs[at : at + 200]
        waiting = [(job, pool.apply_async(try_one, job)) for job in batch]
        for job, result in waiting:
            try:
                outcomes.append(result.get(timeout=PATIENCE))
            except multiprocessing.TimeoutError:
                outcomes.append(
                    Outcome(
                        job[0].source,
                        "hung",
                        f"{job[0].name} #{job[1]}",
                        "the process was stuck or was killed",
                        float(PATIENCE),
                    )
                )
                pool.terminate()
                pool = None
                break
        at = len(outcomes)
        if at % 1000 < 200 or at == len(jobs):
            say(f"{at:,} of {files_n:,} files")
    if pool is not None:
        pool.terminate()
    return outcomes


def report(outcomes: list[Outcome]) -> str:
    """What became of the files, by source, and each that should not have become that."""
    from flows.telling.printing import table

    kinds = ("accepted", "refused", "broke", "hung", "lost_rows", "strayed")
    counts = Counter((outcome.source, outcome.kind) for outcome in outcomes)
    slowest = {
        source: max(outcome.seconds for outcome in outcomes if outcome.source == source)
        for source in sorted({o.source for o in outcomes})
    }
    rows = [
        [source, *(counts[source, kind] for kind in kinds), f"{slowest[source]:.1f}"]
        for source in slowest
    ]
    rows.append(
        [
            "all",
            *(sum(counts[source, kind] for source in slowest) for kind in kinds),
            f"{max(slowest.values()):.1f}",
        ]
    )
    text = table(
        ["source", *(kind.replace("_", " ") for kind in kinds), "slowest s"],
        rows,
        right=("slowest s",),
    )
    bad = [outcome for outcome in outcomes if outcome.kind not in ("accepted", "refused")]
    return "\n".join(
        [
            text,
            *(
                f"{outcome.kind}: {outcome.source} {outcome.case}: {outcome.detail[:300]}"
                for outcome in bad
            ),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first mutation of each seed"
    )
    parser.add_argument("--world", type=Path, help="a small simulated world that is there already")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="citytrade-world-"))
    try:
        if given.world is None:
            simulate(folder / "world", "small", 7)
        outcomes = fuzz(
            given.world or folder / "world",
            given.files,
            given.first,
            say=lambda text: print(text, flush=True),
        )
    finally:
        shutil.rmtree(folder)
    print(report(outcomes))
    return int(any(outcome.kind not in ("accepted", "refused") for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
