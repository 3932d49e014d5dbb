"""Agent files: `<name>.safetensors` (weights) and `<name>.json` (card: network, origin, score)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dagger_cli.core.errors import ExpertError
from dagger_cli.networks.spec import Spec, Weights
from dagger_cli.networks.spec_json import spec_from_json
from dagger_cli.utils.files import read_bytes, write_bytes, write_json

FORMAT = "dagger-agent"
VERSION = 1
MAX_WEIGHTS_BYTES = 64 * 2**20
MAX_CARD_BYTES = 2**20


class Agent(NamedTuple):
    """Agent: a network, its weights, and `facts`, the card's entries on origin and score."""

    spec: Spec
    weights: Weights
    facts: Mapping[str, Any]

    def digest(self) -> str:
        """Returns a hash of all that its actions depend on."""
        found = hashlib.sha256(json.dumps(self.spec.to_json(), sort_keys=True).encode())
        for name, array in sorted(self.weights.items()):
            found.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
        return found.hexdigest()


def save_agent(agent: Agent, stem: Path) -> tuple[Path, Path]:
    """Writes both files, each atomically; `stem` is their path without the suffix."""
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(value) for name, value in agent.weights.items()}
    card = {"format": FORMAT, "version": VERSION, **agent.facts, "network": agent.spec.to_json()}
    weights_path, card_path = _paths(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(weights_path, save(arrays))
    write_json(card_path, card)
    return weights_path, card_path


def load_agent(stem: Path) -> Agent:
    """Reads an agent; raises ExpertError where a file is missing, damaged or of a newer version."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    weights_path, card_path = _paths(stem)
    card = load_card(card_path)
    try:
        weights = load(read_bounded(weights_path, MAX_WEIGHTS_BYTES))
    except (SafetensorError, ValueError, KeyError) as err:  # KeyError: a dtype numpy lacks
        raise ExpertError(
            f"'{weights_path}' is damaged ({err}); fetch or convert it again"
        ) from err
    spec = spec_from_json(card.pop("network", None))
    return Agent(spec, weights, card)


def load_card(card_path: Path) -> dict[str, Any]:
    """Reads only the JSON card, without the weights; raises ExpertError as `load_agent`."""
    try:
        card = json.loads(read_bounded(card_path, MAX_CARD_BYTES))
    except (ValueError, RecursionError) as err:
        raise ExpertError(f"'{card_path}' is not a JSON card ({err})") from err
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ExpertError(
            f"'{card_path}' is not the card of a {FORMAT}; give a file written by this program"
        )
    if card.get("version") != VERSION:
        raise ExpertError(
            f"'{card_path}' is of format version {str(card.get('version'))[:20]}, "
            f"this program reads {VERSION}; update it"
        )
    return card


def read_bounded(path: Path, limit: int) -> bytes:
    """Reads a file; raises an error before reading where it has more than `limit` bytes."""
    try:
        return read_bytes(path, limit)
    except OSError as err:
        raise ExpertError(f"cannot read '{path}' ({err.strerror})") from err


def _paths(stem: Path) -> tuple[Path, Path]:
    return stem.with_name(stem.name + ".safetensors"), stem.with_name(stem.name + ".json")
