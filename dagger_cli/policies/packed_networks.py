"""A fitted network and the state of its optimizer as named arrays, for a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Array
from dagger_cli.policies.optimizers import Entry, fits

NETWORK = "network."


def packed(network: nn.Module, past: Sequence[Entry], *, ours: bool) -> dict[str, Array]:
    """Returns the network, with its statistics, and the optimizer state as named arrays.

    `ours`: of an optimizer of this package, whose step counters are saved with shape (1,).
    """
    tensors = {f"{NETWORK}{name}": t for name, t in network.state_dict().items()}
    for i, entry in enumerate(past):
        for key, t in entry.items():
            tensors[f"optimiser.{i}.{key}"] = t.reshape(1) if ours and t.ndim == 0 else t
    return {name: np.asarray(t.numpy(), order="C") for name, t in tensors.items()}


def network_arrays(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Returns the arrays of the network; raises CheckpointError unless they have these shapes."""
    given = {n.removeprefix(NETWORK): a for n, a in arrays.items() if n.startswith("net")}
    if shapes != {n: a.shape for n, a in given.items()}:
        raise CheckpointError(
            "the policy in this checkpoint has another shape than its config says: the files "
            "do not belong together, or the environment's observations have changed"
        )
    if not all(np.isfinite(array).all() for array in given.values()):
        raise CheckpointError("the policy in this checkpoint has weights that are not finite")
    return {name: torch.tensor(array) for name, array in given.items()}


def optimizer_state(
    arrays: Mapping[str, Array], parameters: Sequence[Tensor], *, ours: bool
) -> tuple[Entry, ...]:
    """Returns the optimizer state in a checkpoint's arrays, one entry per parameter.

    Raises CheckpointError where it does not fit the parameters.
    """
    optimizer: list[dict[str, Tensor]] = [{} for _ in parameters]
    for name, array in arrays.items():
        if name.startswith("optimiser."):
            match = re.fullmatch(r"optimiser\.(\d+)\.(\w+)", name)
            if match is None or int(match[1]) >= len(optimizer):
                raise CheckpointError(
                    f"the optimizer state in this checkpoint has '{name}', for which its "
                    "network has no parameter"
                )
            optimizer[int(match[1])][match[2]] = torch.tensor(array)
    if ours and not all(map(fits, optimizer, parameters)):
        raise CheckpointError(
            "the optimizer state in this checkpoint does not fit its network: the files do not "
            "belong together"
        )
    return tuple(optimizer)
