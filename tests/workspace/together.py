"""Work done by several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable


def run_together(works: list[Callable[[], None]]) -> None:
    """Starts all of it, and waits for all of it."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
