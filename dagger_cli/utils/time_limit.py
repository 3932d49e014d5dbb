"""Interrupts code of the user that takes too long, in this process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def time_limit(seconds: float | None, error: Exception) -> Iterator[None]:
    """Raises `error` in the block after `seconds`; None: no limit.

    By a signal, so only in the main thread and not on Windows; code in C is interrupted when it
    returns.
    """
    possible = hasattr(signal, "setitimer")
    if seconds is None or not possible or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
