"""Serialization of combined policies as named arrays, bit for bit, for checkpoints.

A plain policy is packed by its learner. A combination stores its members under `0.`, `1.`, ... and
one array that gives its kind and parameters. Members are plain policies: nested combinations do
not occur.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Learner
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy
from dagger_cli.core.types import Array, Policy, Space

MIXTURE, PER_STEP, ENSEMBLE = "mixture.weights", "per_step.k", "ensemble.size"


def pack(policy: Policy, learner: Learner) -> dict[str, Array]:
    """Returns the policy as named arrays, the input of `unpack`."""
    if isinstance(policy, Mixture):
        return {MIXTURE: np.asarray(policy.weights)} | _pack_all(policy.members, learner)
    if isinstance(policy, NonStationaryPolicy):
        return {PER_STEP: np.asarray([policy.k])} | _pack_all(policy.members, learner)
    if isinstance(policy, Ensemble):
        size = np.asarray([len(policy.members)])
        return {ENSEMBLE: size} | _pack_all(policy.members, learner)
    return learner.pack(policy)


def unpack(arrays: Mapping[str, Array], learner: Learner, actions: Space) -> Policy:
    """Inverts `pack`; raises CheckpointError where the arrays do not fit together."""
    if MIXTURE in arrays:
        members = _unpack_all(arrays, learner)
        weights = tuple(arrays[MIXTURE].ravel().astype(float).tolist())
        valid = min(weights, default=-1) >= 0 and abs(sum(weights) - 1) < 1e-9
        if len(weights) != len(members) or not valid:
            raise CheckpointError("the mixture's weights in this checkpoint do not fit its members")
        return Mixture(members, weights)
    if PER_STEP in arrays:
        k = _number(arrays[PER_STEP])
        if k < 1:
            raise CheckpointError(f"per_step.k in this checkpoint must be at least 1, got {k}")
        return NonStationaryPolicy(_unpack_all(arrays, learner), k)
    if ENSEMBLE in arrays:
        members = _unpack_all(arrays, learner)
        if len(members) != _number(arrays[ENSEMBLE]):
            raise CheckpointError("the ensemble in this checkpoint lacks some of its members")
        return Ensemble(members, actions)
    return learner.unpack(arrays)


def _number(array: Array) -> int:
    """Returns the integer in an array of size 1; 0 for anything else."""
    return int(array.ravel()[0]) if array.size == 1 and array.dtype.kind in "iu" else 0


def _pack_all(members: tuple[Policy, ...], learner: Learner) -> dict[str, Array]:
    return {
        f"{i}.{name}": array
        for i, member in enumerate(members)
        for name, array in learner.pack(member).items()
    }


def _unpack_all(arrays: Mapping[str, Array], learner: Learner) -> tuple[Policy, ...]:
    parts: dict[int, dict[str, Array]] = {}
    for name, array in arrays.items():
        place, _, rest = name.partition(".")
        if place.isdecimal():
            parts.setdefault(int(place), {})[rest] = array
    if not parts or sorted(parts) != list(range(len(parts))):
        raise CheckpointError("the policy in this checkpoint lacks some of its members")
    return tuple(learner.unpack(parts[i]) for i in range(len(parts)))
