"""`dagger data push`: uploads the labelled rows of a run to the Hub as a data set with a card."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from dagger_cli import __version__
from dagger_cli.commands.data import run_episodes
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import one_of
from dagger_cli.data.card import card_text
from dagger_cli.data.write import FORMATS, write_episodes
from dagger_cli.experts.hub_client import upload
from dagger_cli.tracking.checkpoint import read_manifest, resolve_resumed

PUSHED = tuple(name for name in FORMATS if name != "minari")  # Minari has a Hub of its own


def push_data(
    run: Path, repo_id: str, format: str, *, private: bool, trust: tuple[str, ...]
) -> None:
    """Uploads one commit; raises DaggerError before it where something does not fit."""
    one_of("format", format, PUSHED)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id):
        raise ConfigError(f"repo_id must look like user/name, got '{repo_id}'")
    episodes = run_episodes(run, trust)
    config = read_manifest(resolve_resumed(run)).config
    with tempfile.TemporaryDirectory() as folder:
        file = f"data{FORMATS[format]}" if FORMATS[format] else ""
        path = Path(folder) / (file or "data")
        write_episodes(episodes, format, path)
        files = _files(path)
    env_name = str(config["env"].get("name", "gym"))
    text = card_text(
        repo_id, episodes, env_name=env_name, version=__version__, format=format, file=file
    )
    size = sum(map(len, files.values())) / 2**20
    print(f"to      {repo_id} ({'private' if private else 'public'} if it is new), {size:.1f} MiB")
    message = f"{len(episodes):,} labelled steps of {episodes.about.env_id}"
    whole = {**files, "README.md": text.encode()}
    url = upload(repo_id, whole, private=private, message=message, kind="dataset")
    print(f"pushed  {url}")


def _files(path: Path) -> dict[str, bytes]:
    """Returns the contents of a file by its name, or of a folder's files by their paths in it."""
    if path.is_file():
        return {path.name: path.read_bytes()}
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in inside}
