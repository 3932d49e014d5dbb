"""Files of a Hub repository, with short time-outs.

Token, endpoint, cache and offline mode are huggingface_hub's own environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from dagger_cli.core.errors import ExpertError, HubUnreachable
from dagger_cli.experts.hub_requests import LOG_IN, NotThere, ask, status_of

TIMEOUT = 3.0  # seconds without a reply until the Hub counts as unreachable
_COMMIT = re.compile("[0-9a-f]{40}")
MAX_FOUND = 50  # maximum number of repositories of a search

Result = TypeVar("Result")


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
            ask(lambda: get_hf_file_metadata(url, timeout=TIMEOUT), what)
        except HubUnreachable:
            if isinstance(kept, Path):
                return kept
            raise
        except NotThere:
            pass  # hf_hub_download raises the same error, and caches it
        return Path(
            ask(
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

        def listed() -> list[str]:
            if HF_HUB_OFFLINE:
                folder = Path(
                    snapshot_download(self.repo_id, revision=self.revision, local_files_only=True)
                )
                return [
                    str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
                ]
            info = HfApi().model_info(self.repo_id, revision=self.revision, timeout=TIMEOUT)
            return [sibling.rfilename for sibling in info.siblings or ()]

        return ask(listed, f"the list of files of '{self.repo_id}'")


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

    def found() -> list[Model]:
        # By itself, list_models would try to reach the Hub for half a minute.
        get_session().head(ENDPOINT, timeout=TIMEOUT)
        models = HfApi().list_models(
            author=author, search=word, limit=MAX_FOUND, sort="downloads", cardData=True
        )
        return [Model(m.id, tuple(m.tags or ()), _mean_reward(m.card_data)) for m in models]

    return ask(_unless_offline(found), "the list of agents")


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

    def asked() -> Result:
        if constants.HF_HUB_OFFLINE:
            raise errors.OfflineModeIsEnabled("offline")
        return request()

    return asked


def upload(
    repo_id: str, files: Mapping[str, bytes], *, private: bool, message: str, kind: str = "model"
) -> str:
    """Uploads all files in one commit; creates the repository if needed; returns its URL.

    `kind` is model or dataset.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        raise HubUnreachable("nothing can be pushed while HF_HUB_OFFLINE is set; unset it")

    def send() -> str:
        api = HfApi()
        try:
            url = api.create_repo(repo_id, private=private, exist_ok=True, repo_type=kind)
            operations = [CommitOperationAdd(name, data) for name, data in files.items()]
            api.create_commit(repo_id, operations, commit_message=message, repo_type=kind)
            return str(url)
        except Exception as err:
            if status_of(err) in (401, 403):
                raise ExpertError(
                    f"the Hub refused the upload to '{repo_id}': your token is missing or has no "
                    f"write access; {LOG_IN} with a token that has"
                ) from err
            raise

    return ask(send, f"the upload to '{repo_id}'")


def commit_of(path: Path) -> str | None:
    """Returns the commit of a cached file: its folder in `snapshots/`."""
    match = re.search(r"[/\\]snapshots[/\\]([0-9a-f]{40})[/\\]", str(path))
    return match[1] if match else None
