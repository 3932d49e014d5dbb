"""Recorded episodes as the rows of a learner, checked against the spaces of its run."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space
from dagger_cli.data.episodes import Episodes


def dataset_of(
    episodes: Episodes, observations: Space, actions: Space, env_id: str, view: str = ""
) -> Dataset:
    """Returns all steps as one round.

    `view` is what the run's students see, in words; empty where it is not to be compared. Raises
    ConfigError where the steps are of another environment or view.
    """
    about, columns = episodes.about, episodes.columns
    if about.env_id and env_id and about.env_id != env_id:
        raise ConfigError(
            f"{about.source} was recorded in {about.env_id}, but this run's environment is {env_id}"
        )
    if about.view and view and about.view != view:
        raise ConfigError(
            f"{about.source} was recorded with another view: {about.view}; this run's students "
            f"see: {view}. Record it with the same view.* keys and policy.chunk"
        )
    obs = _observations(columns["observation"], observations, about.source)
    labels = actions_of(columns["expert_action"], actions, about.source)
    played = {
        name: columns[name]
        for name in ("from_expert", "reward", "terminated", "truncated", "failed")
        if name in columns
    }
    if "action" in columns:
        played["action"] = actions_of(columns["action"], actions, about.source)
    # In place of a slot: an episode is a slot of its own.
    played["slot"] = columns["episode"].astype(np.int32)
    steps = columns["step"].astype(np.int64)
    return Dataset(obs, steps, labels, (len(steps),), played=played)


def _unflattened(rows: Array, space: Space) -> Array:
    """Returns flat rows, as LeRobot's layout has them, in the shape of the space if they fit it."""
    fits = rows.ndim <= 2 and rows.size == len(rows) * space.size
    return rows.reshape(len(rows), *space.shape) if fits else rows


def _observations(rows: Array, space: Space, source: str) -> Array:
    rows = _unflattened(rows, space)
    if rows.shape[1:] != space.shape:
        raise ConfigError(
            f"{source} has observations of shape {rows.shape[1:]}, but this run's have the shape "
            f"{space.shape}: record them with the same environment and view"
        )
    pictures = space.whole and np.dtype(space.dtype).itemsize == 1
    if pictures != (rows.dtype == np.dtype(space.dtype) and pictures) or rows.dtype.kind not in (
        "fiub"
    ):
        raise ConfigError(
            f"{source} has observations of type {rows.dtype}, but this run's are {space.dtype}: "
            "they are in other units"
        )
    if not np.isfinite(rows).all():
        raise ConfigError(f"{source} has observations that are not finite numbers")
    if space.kind == "box":
        has_low, has_high = space.limits
        flat = rows.reshape(len(rows), -1)
        low, high = np.asarray(space.low), np.asarray(space.high)
        slack = 1e-4 * np.maximum(1, np.maximum(np.abs(low), np.abs(high)))
        wrong = (has_low & (flat < low - slack)) | (has_high & (flat > high + slack))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ConfigError(
                f"{source}: component {column} of an observation is {flat[row, column]:g} (row "
                f"{row}), outside {low[column]:g} to {high[column]:g} of this environment: it is "
                "of another one, or in other units"
            )
    return np.asarray(rows, space.dtype)


def actions_of(rows: Array, space: Space, source: str) -> Array:
    """Returns actions (n, *shape) in the space's type; raises ConfigError where they are none."""
    rows = _unflattened(rows, space)
    if rows.shape[1:] != space.shape:
        raise ConfigError(
            f"{source} has actions of shape {rows.shape[1:]}, but this environment's have the "
            f"shape {space.shape}"
        )
    if rows.dtype.kind not in "fiub" or not np.isfinite(rows).all():
        raise ConfigError(f"{source} has actions that are not finite numbers")
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    if space.kind == "box":
        low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
    else:
        low = np.full(len(space.sizes), float(space.start))
        high = low + np.asarray(space.sizes) - 1
        _whole(flat, source)
    slack = 1e-6 * np.where(np.isfinite(high - low), high - low, 0)
    wrong = (flat < low - slack) | (flat > high + slack)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ConfigError(
            f"{source}: the action of row {row} is {flat[row, column]:g}, outside "
            f"{low[column]:g} to {high[column]:g} of this environment"
        )
    inside = np.clip(flat, low, high)
    return space.cast(inside).reshape(rows.shape)


def _whole(flat: Array, source: str) -> None:
    broken = flat != np.rint(flat)
    if broken.any():
        row, column = np.argwhere(broken)[0]
        raise ConfigError(
            f"{source}: the action of row {row} is {flat[row, column]:g}, but actions are whole "
            "numbers here"
        )
