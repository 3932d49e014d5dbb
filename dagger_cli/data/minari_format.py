"""Data sets of Minari, written and read by its own package (extra: `minari`).

A folder is named as Minari's data sets are, NAME-v0, and `minari.load_dataset("NAME-v0")` opens it
with MINARI_DATASETS_PATH set to the folder above. Its actions are those that were executed; the
expert's and all else that Minari has no place for are in `infos`.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space
from dagger_cli.data.episodes import About, Episodes
from dagger_cli.data.extras import library

OWN = ("expert_action", "from_expert", "failed", "success", "round", "beta")  # in infos
_NAME = re.compile(r"[\w-]+-v\d+")


def check_name(path: Path) -> None:
    """Raises ConfigError for a folder that Minari would not take for a data set."""
    if not _NAME.fullmatch(path.name):
        raise ConfigError(
            f"path={path}: the folder of a Minari data set is named NAME-v0: give "
            f"path={path.with_name(path.name.replace('.', '-') + '-v0')}"
        )


def write_minari(episodes: Episodes, path: Path) -> None:
    """Writes the folder; an episode whose end is not known loses its last step.

    Its result was not recorded, and Minari wants one more observation than actions. For the same
    reason an episode that lacks steps becomes several, of steps that follow each other.
    """
    check_name(path)
    library("h5py", "minari")
    buffers = list(_buffers(episodes))
    if not buffers:
        raise ConfigError(f"{episodes.about.source} has no whole step: nothing to write")
    about = episodes.about
    assert about.observation_space is not None and about.action_space is not None
    with _datasets_in(path.parent) as minari:
        minari.create_dataset_from_buffers(
            dataset_id=path.name,
            buffer=buffers,
            observation_space=_gymnasium(about.observation_space),
            action_space=_gymnasium(about.action_space),
            algorithm_name="dagger-cli",
            description=f"{about.env_id}, view {about.view or '?'}, of the run {about.source}",
            data_format="hdf5",
        )


def _buffers(episodes: Episodes) -> Iterator[Any]:
    episode_buffer = library("minari.data_collector", "minari").EpisodeBuffer
    columns, n = episodes.columns, len(episodes)
    zeros, never = np.zeros(n), np.zeros(n, bool)
    actions = columns.get("action", columns["expert_action"])
    follows = np.diff(columns["step"], prepend=-2) == 1
    follows[episodes.starts[:-1]] = False
    starts = np.append(np.flatnonzero(~follows), n)
    for start, end in pairwise(starts.tolist()):
        obs = columns["observation"][start:end]
        ends = end in episodes.starts
        final = episodes.final_of(int(columns["episode"][start])) if ends else None
        stop = end if final is not None else end - 1
        here = slice(start, stop)
        if stop <= start:
            continue
        whole = obs if final is None else np.concatenate([obs, final[None]])
        # One value more than steps: Minari's infos begin with that of the reset.
        infos = {name: _shifted(columns[name][here]) for name in OWN if name in columns}
        yield episode_buffer(
            id=None,
            observations=whole,
            actions=actions[here],
            rewards=columns.get("reward", zeros)[here],
            terminations=columns.get("terminated", never)[here],
            truncations=columns.get("truncated", never)[here],
            infos=infos,
        )


def _shifted(rows: Array) -> Array:
    """Returns the rows after one that stands for the reset, their first."""
    return np.concatenate([rows[:1], rows])


@contextmanager
def _datasets_in(folder: Path) -> Iterator[Any]:
    """Yields the package, which writes to this folder within the block."""
    before = os.environ.get("MINARI_DATASETS_PATH")
    os.environ["MINARI_DATASETS_PATH"] = str(folder.absolute())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no e-mail address and no code were given
            yield library("minari", "minari")
    finally:
        if before is None:
            del os.environ["MINARI_DATASETS_PATH"]
        else:
            os.environ["MINARI_DATASETS_PATH"] = before


def _gymnasium(space: Space) -> Any:
    from gymnasium import spaces

    if space.kind == "discrete":
        return spaces.Discrete(space.sizes[0], start=space.start)
    if space.kind == "multi_discrete":
        return spaces.MultiDiscrete(np.reshape(space.sizes, space.shape))
    if space.kind == "multi_binary":
        return spaces.MultiBinary(space.shape)
    low, high = (np.reshape(np.asarray(x), space.shape) for x in (space.low, space.high))
    dtype: Any = np.dtype(space.dtype).type
    return spaces.Box(low.astype(dtype), high.astype(dtype), space.shape, dtype)


def read_minari(path: Path) -> Episodes:
    """Reads a folder; raises ConfigError for what Minari cannot read and for spaces of parts."""
    minari = library("minari", "minari")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = minari.MinariDataset(path / "data")
            parts = list(dataset.iterate_episodes())
    except Exception as err:  # h5py, pyarrow and minari itself raise what they like
        reason = f"{type(err).__name__}: {err}"
        raise ConfigError(f"{path} cannot be read by Minari ({reason})") from err
    if not parts or isinstance(parts[0].observations, dict | tuple):
        raise ConfigError(
            f"{path} has observations of several parts, which are not read: flatten them in Minari"
        )
    spec = dataset.spec.env_spec
    about = About("" if spec is None else str(spec.id), str(path))
    return _episodes(parts, about)


def _episodes(parts: list[Any], about: About) -> Episodes:
    lengths = [len(part.actions) for part in parts]
    actions = np.concatenate([np.asarray(part.actions) for part in parts])
    columns = {
        "observation": np.concatenate(
            [part.observations[:n] for part, n in zip(parts, lengths, strict=True)]
        ),
        "expert_action": actions,
        "episode": np.repeat(np.arange(len(parts)), lengths),
        "step": np.concatenate([np.arange(n) for n in lengths]),
        "action": actions,
        "reward": np.concatenate([part.rewards for part in parts]).astype(np.float64),
        "terminated": np.concatenate([part.terminations for part in parts]).astype(bool),
        "truncated": np.concatenate([part.truncations for part in parts]).astype(bool),
    }
    for name in OWN:
        if all(part.infos and name in part.infos for part in parts):
            columns[name] = np.concatenate([np.asarray(part.infos[name])[1:] for part in parts])
    return Episodes(
        columns,
        about,
        np.stack([part.observations[-1] for part in parts]),
        np.arange(len(parts), dtype=np.int64),
    )
