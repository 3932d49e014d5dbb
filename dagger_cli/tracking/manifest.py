"""checkpoint.json: everything in a checkpoint except the arrays."""

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
MAX_BYTES = 2**24  # a round adds some hundred bytes


@dataclass(frozen=True)
class Shard:
    """The rows that one round added to the aggregate, and the hash of their file.

    `share` is the round's budget, which not every trainer uses up.
    """

    rows: int
    share: int
    sha256: str


# Fields whose names in checkpoint.json, since format 1, differ from the attributes.
NAMES_IN_FILE = {"usage": "spent", "metrics": "facts"}


@dataclass(frozen=True)
class Manifest:
    """The state of a run after `round` rounds.

    `rng` is `RngStreams.save()`; `shards` has one entry per round; `files` maps the array
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
    """Writes checkpoint.json to the folder, with a hash of its own content."""
    content = asdict(manifest) | {"usage": manifest.usage._asdict()}
    content = {NAMES_IN_FILE.get(name, name): value for name, value in content.items()}
    tagged = plain(content, non_finite=lambda number: {"$float": str(number)})
    write_json(checkpoint / MANIFEST, {**tagged, "sha256": _digest(tagged)})


def read_manifest(checkpoint: Path) -> Manifest:
    """Reads and checks the checkpoint.json of a checkpoint's folder (see `resolve_checkpoint`)."""
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
        raise CheckpointError(f"{path} is truncated or altered: it is not valid JSON") from err
    _check_version(path, content)
    # In an untrusted file any key may be missing or of another type.
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
    """Raises where values are invalid: which rounds are removed depends on them."""
    counts = [manifest.round, manifest.best.round, *manifest.usage]
    counts += [count for shard in manifest.shards for count in (shard.rows, shard.share)]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count is not a whole number of 0 or more")
    if not 1 <= manifest.best.round <= manifest.round == len(manifest.shards):
        raise ValueError(f"round {manifest.round} of {len(manifest.shards)}")
    texts = [shard.sha256 for shard in manifest.shards] + [*manifest.files.values()]
    texts += [manifest.expert.name, manifest.expert.source, manifest.expert.sha256]
    texts += [manifest.expert.network]
    numbers = [*manifest.metrics.values(), manifest.best.mean, manifest.best.top]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a name or a hash is not a string")
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a metric is not a number")
    if not all(isinstance(node, Mapping) for node in (manifest.rng, manifest.config)):
        raise TypeError("rng or config is not a mapping")


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _untag(value: Any) -> Any:
    """Restores nan and inf."""
    if isinstance(value, dict):
        if set(value) == {"$float"}:
            return float(value["$float"])
        return {key: _untag(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untag(item) for item in value]
    return value
