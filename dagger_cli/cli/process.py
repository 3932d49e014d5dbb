"""The process around a command: standard streams, signals, the current folder."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from dagger_cli.core.errors import ConfigError, Terminated


def open_streams() -> None:
    """Opens standard streams that are closed (daemons, `>&-`) on the null device.

    Otherwise the next file that is opened gets their number, and a stray print ends up in it. Text
    that the locale cannot encode is printed with replacements.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure") and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def close_stdout() -> None:
    """Redirects stdout to null, so that Python prints no error on a broken pipe at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_on_signals() -> None:
    """Makes SIGTERM and SIGHUP end the command as Ctrl-C does: a run says how to resume it.

    A signal that is ignored, as under nohup, stays so. A second signal ends the process at once.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


_started = os.getpid()


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    if os.getpid() != _started:  # a forked child
        os.kill(os.getpid(), number)
        return
    raise Terminated(number)


def check_current_folder() -> None:
    """Raises ConfigError where the current folder was deleted."""
    try:
        os.getcwd()
    except OSError:
        raise ConfigError("the current folder does not exist any more: cd to another one") from None
