"""Check of the weights of a support vector machine in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Array


def check_weights(arrays: Mapping[str, Array], shape: tuple[int, int]) -> None:
    """Raises CheckpointError unless there is one array, `weights`, float32 of this shape, finite.

    Compiled kernels index the weights without checks.
    """
    weights = arrays.get("weights")
    if set(arrays) != {"weights"} or weights is None or weights.shape != shape:
        raise CheckpointError(
            "the policy in this checkpoint has another shape than its config says: "
            "the files do not belong together"
        )
    if weights.dtype != np.float32 or not np.isfinite(weights).all():
        raise CheckpointError("the policy in this checkpoint has weights that are not finite")
