"""Check of saved karts, which compiled code reads without any checks of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Array
from dagger_cli.envs.kart.driving import PLACE, SEED, X, Y
from dagger_cli.envs.kart.track import HALF_WIDTH, Track


def check_saved(saved: Mapping[str, Array], own: Mapping[str, Array], track: Track) -> None:
    """Raises EnvError unless the saved arrays have the form of `own` and values of real karts."""
    for name, array in own.items():
        if name not in saved or (saved[name].shape, saved[name].dtype) != (
            array.shape,
            array.dtype,
        ):
            raise EnvError(
                "the saved karts do not fit this environment: n_envs has changed since, or another "
                "version of dagger-cli saved them"
            )
    numbers, counts = saved["numbers"], saved["counts"]
    started = numbers.any(1)
    places, seeds = counts[:, PLACE], counts[:, SEED]
    fine = np.isfinite(numbers).all() and (np.abs(numbers) < 1e6).all()
    fine = fine and (counts >= 0).all() and (counts < TRAIN_SEEDS.stop).all()
    fine = fine and (places < len(track.points)).all() and (seeds < TRAIN_SEEDS.stop).all()
    if fine:
        gaps = numbers[started][:, [X, Y]] - track.points[places[started]]
        fine = (np.hypot(*gaps.T) < 2 * HALF_WIDTH).all()
    if not fine:
        raise EnvError("the saved karts are altered: they have values that no kart can have")
