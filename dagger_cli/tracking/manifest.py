"""checkpoint.json: everything about a checkpoint that is not an array."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagger_cli import __version__
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Card, Usage
from dagger_cli.loop.run import Best
from dagger_cli.tracking.run_paths import MANIFEST
from dagger_cli.utils.files import plain, read_bytes, write_json

FORMAT_VERSION = 1
MAX_BYTES = 2**26  # a round adds some hundred


@dataclass(frozen=True)
class Shard:
    """The rows one round added to the aggregate, and the hash of the file they are in.

    `share` is what the budget gave the round: not every trainer labels every state it visits.
    """

    rows: int
    share: int
    sha256: str


# Two fields that checkpoint.json has had other names for since format 1.
NAMES_IN_FILE = {"usage": "spent", "metrics": "facts"}


@dataclass(frozen=True)
class Manifest:
    """Where a run stood after `round` rounds.

    `rng` is `RngStreams.save()`; `shards` has one entry a round; `files` maps the array
    files in the checkpoint's folder to their hashes.
    """

    round: int
    usage: Usage
    best: Best
    metrics: Mapping[str, float]
    rng: Mapping[str, Any]
    expert: Card
    config: Mapping[str, Any]
    shards: tuple[Shard, ...]
    files: Mapping[str, str]
    dagger_version: str = __version__
    format_version: int = FORMAT_VERSION


def write_manifest(checkpoint: Path, manifest: Manifest) -> None:
    """Write checkpoint.json into the folder, with a hash over its own content."""
    content = asdict(manifest) | {"usage": manifest.usage._asdict()}
    content = {NAMES_IN_FILE.get(name, name): value for name, value in content.items()}
    tagged = plain(content, non_finite=lambda number: {"$float": str(number)})
    write_json(checkpoint / MANIFEST, {**tagged, "sha256": _digest(tagged)})


def read_manifest(checkpoint: Path) -> Manifest:
    """Read and check checkpoint.json of a checkpoint's folder (see `resolve_checkpoint`)."""
    path = checkpoint / MANIFEST
    try:
        text = read_bytes(path, MAX_BYTES)
    except FileNotFoundError as err:
        raise CheckpointError(f"{checkpoint} is not a checkpoint: it has no {MANIFEST}") from err
    except OSError as err:
        raise CheckpointError(f"{path} cannot be read: {err.strerror}") from err
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise CheckpointError(f"{path} is truncated or altered: it is not JSON any more") from err
    _check_version(path, content)
    # Any key may be missing or of another type in a file that we did not write.
    try:
        recorded = content.pop("sha256")
        intact = recorded == _digest(content)
        manifest = _parse(_untag(content))
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as err:
        raise CheckpointError(f"{path} is truncated or altered: {err!r}") from err
    if not intact:
        raise CheckpointError(f"{path} is altered: its content does not match its own sha256")
    return manifest


def _check_version(path: Path, content: Any) -> None:
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or version < 1:
        raise CheckpointError(f"{path} was not written by dagger-cli: it has no format_version")
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format {version}, but dagger-cli {__version__} only reads up to "
            f"{FORMAT_VERSION}: upgrade dagger-cli"
        )


def _parse(content: Mapping[str, Any]) -> Manifest:
    expert = content["expert"]
    content = {**content}
    for name, in_file in NAMES_IN_FILE.items():
        content[name] = content.pop(in_file)
    published = expert["published"]
    return Manifest(
        **{
            **content,
            "usage": Usage(**content["usage"]),
            "best": Best(**content["best"]),
            "expert": Card(
                **{
                    **expert,
                    "published": None if published is None else tuple(published),
                    "notes": tuple(expert["notes"]),
                }
            ),
            "shards": tuple(Shard(**shard) for shard in content["shards"]),
        }
    )


def _check(manifest: Manifest) -> None:
    """Raises where values are not what a run of ours writes: rounds are removed by what it says."""
    counts = [manifest.round, manifest.best.round, *manifest.usage]
    counts += [count for shard in manifest.shards for count in (shard.rows, shard.share)]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count is not one")
    if not 1 <= manifest.best.round <= manifest.round == len(manifest.shards):
        raise ValueError(f"round {manifest.round} of {len(manifest.shards)}")
    texts = [shard.sha256 for shard in manifest.shards] + [*manifest.files.values()]
    texts += [manifest.expert.name, manifest.expert.source, manifest.expert.sha256]
    numbers = [*manifest.metrics.values(), manifest.best.mean, manifest.best.top]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a name or a hash is not a text")
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a figure is not a number")
    if not all(isinstance(node, Mapping) for node in (manifest.rng, manifest.config)):
        raise TypeError("a part has no keys")


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _untag(value: Any) -> Any:
    """Undo what stood in for nan and inf."""
    if isinstance(value, dict):
        if set(value) == {"$float"}:
            return float(value["$float"])
        return {key: _untag(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untag(item) for item in value]
    return value
