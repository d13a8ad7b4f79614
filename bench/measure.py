"""One contender's time and memory, in a process of its own.

python -m bench.measure CONTENDER EVENTS FOLDER REPEATS    prints what was measured as the last line
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, Call
from bench.events import FORMS, Data

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0
"""Seconds of timed calls after which a contender is not asked again, once it has answered twice; a call that takes
longer than this by itself is the only one, with nothing to warm up before it."""
GIVEN_UP = 1_800
MARK = "measured:"
SHARE_OF_MEMORY = 0.7
"""A contender is not asked for a size at which it would need more than this of the memory that is free."""


@dataclass(frozen=True)
class Measured:
    """What one contender did with one size.

    Attributes:
        seconds: How long each timed call took; one call before them warmed up.
        busy: The processor's seconds of each, on all cores; says more where the machine does other things too.
        memory: The most memory resident while answering, in bytes, with what was loaded for it.
        answer: What it said, to be held against the others; a call may give it as another call, which isn't timed.
        load: The machine's load average when it began.
        problem: Why there is no time, where there is none.
    """

    contender: str
    events: int
    seconds: tuple[float, ...] = ()
    busy: tuple[float, ...] = ()
    memory: int = 0
    answer: Any = None
    load: float = 0.0
    problem: str = ""

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(name: str, data: Data, repeats: int) -> Measured:
    """The contender's measure, from a fresh process; never an exception."""
    asked = Measured(name, data.events, load=os.getloadavg()[0])
    for package in CONTENDERS[name].packages:
        try:
            version(package)
        except PackageNotFoundError:
            return replace(asked, problem=f"{package} is not installed")
    try:
        for form in CONTENDERS[name].forms:
            prepare(data, form)
        said = _run("bench.measure", name, data.events, data.folder, repeats)
        return replace(asked, **json.loads(said.rsplit(MARK, 1)[1]))
    except subprocess.TimeoutExpired:
        return replace(asked, problem=f"no answer within {GIVEN_UP // 60} minutes")
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or [""]
        return replace(asked, problem=last[0] or f"ended by signal {-error.returncode}")


def prepare(data: Data, form: str) -> None:
    """Makes one form of the events, and those that it is made from, unless they lie there whole."""
    done = data.folder / f"{form}.done"
    if done.exists():
        return
    for needed in FORMS[form][1]:
        prepare(data, needed)
    _run("bench.events", data.events, data.folder, form)
    done.touch()


def _run(module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    # retentioneering reports its use over the network unless told not to.
    env = {**os.environ, "RETENTIONEERING_NO_TRACK": "1"}
    ran = subprocess.run(
        command, cwd=ROOT, env=env, check=True, text=True, capture_output=True, timeout=GIVEN_UP
    )
    return ran.stdout


def largest(name: str, sizes: Sequence[Data], repeats: int) -> list[Measured]:
    """The contender at rising sizes, until it fails or the next would take too long or too much memory."""
    found: list[Measured] = []
    for data in sizes:
        if found and (problem := _too_much(found[-1], data.events)):
            found.append(Measured(name, data.events, problem=problem))
            break
        found.append(measure(name, data, repeats))
        if found[-1].problem:
            break
    return found


def _too_much(last: Measured, events: int) -> str:
    factor = events / last.events
    if last.memory * factor > SHARE_OF_MEMORY * _free_memory():
        return f"would need about {last.memory * factor / 1e9:.0f} GB of memory"
    if last.best * factor > PATIENCE * 2:
        return f"would take about {last.best * factor / 60:.0f} minutes a call"
    return ""


def _free_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") + _cached()


def _cached() -> int:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Cached:"))


def _time(call: Call, scratch: Path, repeats: int) -> tuple[list[float], list[float], Any]:
    seconds: list[float] = []
    busy: list[float] = []
    answer = None
    for turn in range(repeats + 1):
        folder = Path(tempfile.mkdtemp(dir=scratch))
        began, idle = time.perf_counter(), _busy()
        answer = call(folder)
        took, worked = time.perf_counter() - began, _busy() - idle
        shutil.rmtree(folder)
        if turn or took > PATIENCE:
            seconds.append(took)
            busy.append(worked)
        if took > PATIENCE:
            break
        if len(seconds) >= 2 and sum(seconds) > PATIENCE:
            break
    return seconds, busy, answer() if callable(answer) else answer


def _busy() -> float:
    """The processor's seconds of this process and the processes that it waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in used)


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _peak() -> int:
    """The most memory that was resident; Linux's own figure, as getrusage counts the parent's in."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=list(CONTENDERS))
    parser.add_argument("events", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("repeats", type=int)
    asked = parser.parse_args()
    call = CONTENDERS[asked.contender].ready(Data(asked.events, asked.folder))
    _forget_peak()
    seconds, busy, answer = _time(call, asked.folder, asked.repeats)
    measured = Measured(asked.contender, asked.events, tuple(seconds), tuple(busy), _peak(), answer)
    said = asdict(measured)
    print(MARK + json.dumps({name: said[name] for name in ("seconds", "busy", "memory", "answer")}))


if __name__ == "__main__":
    main()
