"""Requests to the Hub: retried while it is busy, with one-sentence errors."""

from __future__ import annotations

import errno
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dagger_cli.core.errors import ExpertError, HubUnreachable

WAITS = (0.5, 1.0, 2.0)  # seconds before each new attempt after 429 or 5xx
PATIENCE = 5.0  # seconds after which no new attempt is made
LOG_IN = "set HF_TOKEN or run `hf auth login`"
_BUSY = (429, 500, 502, 503, 504)

Result = TypeVar("Result")


class NotThere(ExpertError):
    """The repository or the file does not exist (or is not visible)."""


def ask(request: Callable[[], Result], what: str) -> Result:
    """Sends a request; retries while the Hub is busy, translates any other error at once."""
    started = time.monotonic()
    for wait in (*WAITS, None):
        try:
            with _quiet():
                return request()
        except (TypeError, AttributeError, NameError, ExpertError):
            raise  # a bug of this package, or already translated
        except Exception as err:  # its errors have no common base, and vary with its HTTP library
            error = _root(err)
            impatient = time.monotonic() - started > PATIENCE  # newer versions retry by themselves
            if wait is None or impatient or status_of(error) not in _BUSY:
                raise _translate(error, what) from err
            time.sleep(wait)
    raise AssertionError("unreachable")


def _root(err: Exception) -> Exception:
    """Returns the cause of huggingface_hub's "not in the cache" error for a failed request."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(err, LocalEntryNotFoundError) and isinstance(err.__cause__, Exception):
        return err.__cause__
    return err


def status_of(err: Exception) -> int | None:
    """Returns the HTTP status of a failed request; None without one."""
    status = getattr(getattr(err, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _translate(err: Exception, what: str) -> ExpertError:
    from huggingface_hub import errors

    if isinstance(err, errors.GatedRepoError):
        return ExpertError(f"{what} is gated: accept its terms on its page, then {LOG_IN}")
    if isinstance(err, errors.RepositoryNotFoundError):
        return NotThere(f"{what} is not on the Hub, or private (then {LOG_IN})")
    if isinstance(err, errors.RevisionNotFoundError):
        return ExpertError(
            f"{what}: no such revision; expert.revision takes a branch, a tag or a commit"
        )
    if isinstance(err, errors.OfflineModeIsEnabled) and str(err) == "offline":
        return HubUnreachable(f"offline mode (HF_HUB_OFFLINE) does not allow {what}")
    if isinstance(err, (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)):
        return HubUnreachable(
            f"{what} is not in the cache, and offline mode (HF_HUB_OFFLINE) is set"
        )
    if isinstance(err, errors.EntryNotFoundError):
        return NotThere(f"{what} does not exist on the Hub")
    if isinstance(err, errors.HFValidationError):
        return ExpertError(f"{what}: not a valid repository name; it looks like 'user/name'")
    status = status_of(err)
    if status in (401, 403):
        return ExpertError(f"{what} is private or your token is not valid; {LOG_IN}")
    if isinstance(err, OSError) and err.errno == errno.ENOSPC:
        return ExpertError(f"the disk is full, {what} cannot be stored; free some or set HF_HOME")
    if isinstance(err, PermissionError):
        return ExpertError(
            f"the cache cannot be written ({err.filename}); set HF_HOME to a writable folder"
        )
    reason = f"HTTP status {status}" if status else type(err).__name__
    return HubUnreachable(f"no reply from the Hub for {what} ({reason})")


@contextmanager
def _quiet() -> Iterator[None]:
    """Disables warnings of huggingface_hub, and its bars unless stderr is a terminal."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    logger = logging.getLogger("huggingface_hub")
    level, bars = logger.level, not are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL)
        if not sys.stderr.isatty():
            disable_progress_bars()
        try:
            yield
        finally:
            logger.setLevel(level)
            if bars:
                enable_progress_bars()
