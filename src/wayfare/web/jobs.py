"""Computations in the background: each started once, its progress told, its outcome kept for the next who asks."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, Generic, TypeVar

from wayfare.errors import Busy, Cancelled, WayfareError
from wayfare.histories.fold import Progress

T = TypeVar("T")

KEPT = 200
WAITING = 50
RETRY = 10.0
"""Seconds until what failed for no known reason is tried again."""


class Job(Generic[T]):
    """One computation.

    Attributes:
        id: Its name in addresses.
        share: How much of the present pass over the log is done, 0 to 1.
        passes: How many passes over the log were begun.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.share = 0.0
        self.passes = 0
        self._done = threading.Event()
        self._stopped = threading.Event()
        self._ended = 0.0
        self._value: T | None = None
        self._error: BaseException | None = None

    @property
    def state(self) -> str:
        """running, done or failed."""
        if not self._done.is_set():
            return "running"
        return "failed" if self._error else "done"

    @property
    def lasting(self) -> bool:
        """Whether its outcome holds: an error that nobody foresaw is tried again after a while."""
        foreseen = self._error is None or (isinstance(self._error, WayfareError) and self._error.status < 500)
        return foreseen or time.monotonic() - self._ended < RETRY

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is over, after at most `seconds`."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """Its value, once it is over; raises what it raised."""
        self._done.wait()
        if self._error:
            raise self._error
        return self._value  # type: ignore[return-value]

    def stop(self) -> None:
        """Asks it to end at its next sign of progress."""
        self._stopped.set()

    def progress(self, done: int, total: int) -> None:
        """Notes how far it has come; told by the passes over the log."""
        if self._stopped.is_set():
            raise Cancelled("The server is stopping.")
        share = done / total if total else 1.0
        if self.passes == 0 or share < self.share:
            self.passes += 1
        self.share = share

    def run(self, compute: Callable[[Progress], T]) -> None:
        """Computes and keeps the outcome."""
        try:
            self._value = compute(self.progress)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        self._ended = time.monotonic()
        self._done.set()


class Jobs:
    """The jobs of one server: at most `workers` at a time, the outcomes of the last `KEPT` kept."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="wayfare-job")
        self._jobs: OrderedDict[str, Job[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, key: object, compute: Callable[[Progress], T]) -> Job[T]:
        """The job under `key`, started now unless it is there already."""
        id = sha256(repr(key).encode()).hexdigest()[:20]
        with self._lock:
            job = self._jobs.get(id)
            if job is not None and (job.state == "running" or job.lasting):
                self._jobs.move_to_end(id)
                return job
            if sum(other.state == "running" for other in self._jobs.values()) >= WAITING:
                raise Busy("Too many computations are waiting.", hint="Try again in a moment.")
            job = self._jobs[id] = Job(id)
            self._forget()
        self._pool.submit(job.run, compute)
        return job

    def find(self, id: str) -> Job[Any] | None:
        """The job called `id`, or None where it was never there or is forgotten."""
        return self._jobs.get(id)

    def close(self) -> None:
        """Stops what is running."""
        for job in list(self._jobs.values()):
            job.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget(self) -> None:
        over = [id for id, job in self._jobs.items() if job.state != "running"]
        for id in over[: max(len(self._jobs) - KEPT, 0)]:
            del self._jobs[id]
