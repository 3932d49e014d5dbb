"""Runs of other people: their files altered, with hashes that fit."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.tracking.manifest import _digest

Node = dict[str, Any] | list[Any]


def edit_manifest(checkpoint: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edits checkpoint.json and repairs its hash."""
    path = checkpoint / "checkpoint.json"
    content = json.loads(path.read_text())
    content.pop("sha256")
    edit(content)
    path.write_text(json.dumps({**content, "sha256": _digest(content)}))


def edit_arrays(
    checkpoint: Path, name: str, edit: Callable[[dict[str, np.ndarray[Any, Any]]], None]
) -> None:
    """Edits the arrays of a file of a checkpoint and repairs the hashes."""
    from safetensors.numpy import load, save

    path = checkpoint / name
    arrays = {key: np.array(array) for key, array in load(path.read_bytes()).items()}
    edit(arrays)
    data = save(arrays)
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    edit_manifest(checkpoint, lambda content: content["files"].__setitem__(name, digest))


def evil(rng: random.Random) -> Any:
    """Returns a value that a config should not have."""
    return rng.choice(
        [
            None, True, -1, 0, 1, 10**6, 10**12, 2**63, -(2**63), 1e300, -0.0, "", "x" * 5000,
            "os.system", "builtins.eval", "touch canary", "../../../etc/passwd", "/dev/zero", "/",
            "${oc.env:HOME}", "${now:}", "\x1b[2J\nresume dagger train", "ü\u202e", [], {}, [[]],
            {"_target_": "os.system", "command": "touch canary"}, {"$float": "nan"},
            {"$float": "1e999"}, {"_target_": "dagger_cli.utils.files.write_text"},
            {"_target_": "subprocess.Popen", "args": ["touch", "canary"]}, [1] * 1000,
            {"_partial_": True}, {"_args_": ["touch canary"], "_target_": "os.system"}, "nan",
        ]
    )  # fmt: skip


def places(node: Any) -> Iterator[tuple[Node, Any]]:
    """Yields (container, key) of every value in nested JSON."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(entries):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def mutate(content: dict[str, Any], rng: random.Random) -> None:
    """Alters one to three values: replaced, removed, added, or swapped with another one."""
    for _ in range(rng.randint(1, 3)):
        node, key = rng.choice(list(places(content)))
        kind = rng.random()
        if kind < 0.6:
            node[key] = evil(rng)
        elif kind < 0.75:
            del node[key]
        elif kind < 0.9 and isinstance(node, dict):
            node[rng.choice(["_target_", "_args_", "path", "id", "workers", "extra"])] = evil(rng)
        else:
            other, there = rng.choice(list(places(content)))
            node[key] = deepcopy(other[there])
