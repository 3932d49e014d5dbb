"""Files of a Hub repository, with short time-outs, retries, and one-sentence errors.

Token, endpoint, cache and offline mode are huggingface_hub's own environment variables.
"""

from __future__ import annotations

import errno
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from dagger_cli.core.errors import ExpertError, HubUnreachable

TIMEOUT = 3.0  # seconds without a reply until the Hub counts as unreachable
WAITS = (0.5, 1.0, 2.0)  # seconds before each new attempt after 429 or 5xx
PATIENCE = 5.0  # seconds after which no new attempt is made
_LOG_IN = "set HF_TOKEN or run `hf auth login`"
_COMMIT = re.compile("[0-9a-f]{40}")
_BUSY = (429, 500, 502, 503, 504)
MAX_FOUND = 50  # maximum number of repositories of a search

Result = TypeVar("Result")


class NotThere(ExpertError):
    """The repository or the file does not exist (or is not visible)."""


@dataclass(frozen=True)
class Repo:
    """One repository at one revision (None: its main branch)."""

    repo_id: str
    revision: str | None

    def fetch(self, filename: str) -> Path:
        """Returns the file in the local cache, after a download if needed; its path has the commit.

        A cached file is used for a pinned commit, and when the Hub cannot be reached.
        """
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

        kept, what = self._kept(filename), f"'{filename}' of '{self.repo_id}'"
        if isinstance(kept, Path) and _COMMIT.fullmatch(self.revision or ""):
            return kept
        url = hf_hub_url(self.repo_id, filename, revision=self.revision)
        try:  # by itself, hf_hub_download would try to reach the Hub for half a minute
            _ask(lambda: get_hf_file_metadata(url, timeout=TIMEOUT), what)
        except HubUnreachable:
            if isinstance(kept, Path):
                return kept
            raise
        except NotThere:
            pass  # hf_hub_download raises the same error, and caches it
        return Path(
            _ask(
                lambda: hf_hub_download(
                    self.repo_id, filename, revision=self.revision, etag_timeout=TIMEOUT
                ),
                what,
            )
        )

    def fetch_if_there(self, filename: str) -> Path | None:
        """Fetches a file; None where it does not exist (or, offline, is not cached)."""
        from huggingface_hub.constants import HF_HUB_OFFLINE

        if self._kept(filename) is False:
            return None
        try:
            return self.fetch(filename)
        except NotThere:
            return None
        except HubUnreachable:
            if HF_HUB_OFFLINE:
                return None
            raise

    def fetch_those_there(self, *names: str, cached: bool) -> dict[str, Path]:
        """Fetches those of the files that exist.

        With `cached` the agent was in the cache before: what others have cached with it is all
        there is where the Hub does not reply. Otherwise raises HubUnreachable.
        """
        found: dict[str, Path | None] = {}
        replies = True
        for name in names:
            kept = self._kept(name)
            found[name] = kept or None
            if replies and kept is not False:
                try:
                    found[name] = self.fetch_if_there(name)
                except HubUnreachable:
                    if not cached:
                        raise
                    replies = False
        return {name: path for name, path in found.items() if path is not None}

    def unknown(self, filename: str) -> bool:
        """Returns whether the file is not in the cache, and may exist on the Hub."""
        return self._kept(filename) is None

    def has(self, filename: str) -> bool:
        """Returns whether the file is in the cache."""
        return isinstance(self._kept(filename), Path)

    def _kept(self, filename: str) -> Path | Literal[False] | None:
        """Returns the cached file; False where the Hub is known to lack it; None: unknown."""
        from huggingface_hub import try_to_load_from_cache

        try:
            kept = try_to_load_from_cache(self.repo_id, filename, revision=self.revision)
        except ValueError:  # an invalid name, which the request will report
            return None
        if kept is None:
            return None
        return Path(kept) if isinstance(kept, str) else False

    def files(self) -> list[str]:
        """Returns the names of all files, from the Hub, or when offline from the cache."""
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.constants import HF_HUB_OFFLINE

        def ask() -> list[str]:
            if HF_HUB_OFFLINE:
                folder = Path(
                    snapshot_download(self.repo_id, revision=self.revision, local_files_only=True)
                )
                return [
                    str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
                ]
            info = HfApi().model_info(self.repo_id, revision=self.revision, timeout=TIMEOUT)
            return [sibling.rfilename for sibling in info.siblings or ()]

        return _ask(ask, f"the list of files of '{self.repo_id}'")


class Model(NamedTuple):
    """A repository found by a search; `score` is text of its card, such as `301 +/- 1`."""

    repo_id: str
    tags: tuple[str, ...]
    score: str | None


def models_for(word: str, author: str | None = None) -> list[Model]:
    """Returns the most downloaded repositories with the word in their name.

    Raises HubUnreachable where the Hub does not reply.
    """
    from huggingface_hub import HfApi, get_session
    from huggingface_hub.constants import ENDPOINT

    def ask() -> list[Model]:
        # By itself, list_models would try to reach the Hub for half a minute.
        get_session().head(ENDPOINT, timeout=TIMEOUT)
        found = HfApi().list_models(
            author=author, search=word, limit=MAX_FOUND, sort="downloads", cardData=True
        )
        return [Model(m.id, tuple(m.tags or ()), _mean_reward(m.card_data)) for m in found]

    return _ask(_unless_offline(ask), "the list of agents")


def agents_for(author: str, env_id: str) -> list[str]:
    """Returns repositories of `author` named after the environment; empty on any error."""
    try:
        return sorted(model.repo_id for model in models_for(env_id, author))
    except ExpertError:
        return []


def _mean_reward(card: Any) -> str | None:
    results = getattr(card, "eval_results", None) or ()
    values = [r.metric_value for r in results if r.metric_type == "mean_reward"]
    return str(values[0]) if values else None


def _unless_offline(request: Callable[[], Result]) -> Callable[[], Result]:
    """Wraps a request to fail at once when offline, as searches are not cached."""
    from huggingface_hub import constants, errors

    def ask() -> Result:
        if constants.HF_HUB_OFFLINE:
            raise errors.OfflineModeIsEnabled("offline")
        return request()

    return ask


def upload(repo_id: str, files: Mapping[str, bytes], *, private: bool, message: str) -> str:
    """Uploads all files in one commit; creates the repository if needed; returns its URL."""
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        raise HubUnreachable("nothing can be pushed while HF_HUB_OFFLINE is set; unset it")

    def send() -> str:
        api = HfApi()
        try:
            url = api.create_repo(repo_id, private=private, exist_ok=True)
            operations = [CommitOperationAdd(name, data) for name, data in files.items()]
            api.create_commit(repo_id, operations, commit_message=message)
            return str(url)
        except Exception as err:
            if _status(err) in (401, 403):
                raise ExpertError(
                    f"the Hub refused the upload to '{repo_id}': your token is missing or has no "
                    f"write access; {_LOG_IN} with a token that has"
                ) from err
            raise

    return _ask(send, f"the upload to '{repo_id}'")


def commit_of(path: Path) -> str | None:
    """Returns the commit of a cached file: its folder in `snapshots/`."""
    match = re.search(r"[/\\]snapshots[/\\]([0-9a-f]{40})[/\\]", str(path))
    return match[1] if match else None


def _ask(request: Callable[[], Result], what: str) -> Result:
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
            if wait is None or impatient or _status(error) not in _BUSY:
                raise _translate(error, what) from err
            time.sleep(wait)
    raise AssertionError("unreachable")


def _root(err: Exception) -> Exception:
    """Returns the cause of huggingface_hub's "not in the cache" error for a failed request."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(err, LocalEntryNotFoundError) and isinstance(err.__cause__, Exception):
        return err.__cause__
    return err


def _status(err: Exception) -> int | None:
    status = getattr(getattr(err, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _translate(err: Exception, what: str) -> ExpertError:
    from huggingface_hub import errors

    if isinstance(err, errors.GatedRepoError):
        return ExpertError(f"{what} is gated: accept its terms on its page, then {_LOG_IN}")
    if isinstance(err, errors.RepositoryNotFoundError):
        return NotThere(f"{what} is not on the Hub, or private (then {_LOG_IN})")
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
    status = _status(err)
    if status in (401, 403):
        return ExpertError(f"{what} is private or your token is not valid; {_LOG_IN}")
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
