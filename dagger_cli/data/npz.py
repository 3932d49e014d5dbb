"""Data sets as .npz: an array for each column and a description as JSON; nothing is unpickled.

Files of other programs are read by the usual names of their arrays, see `NAMES`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array
from dagger_cli.data.description import about_json, read_about
from dagger_cli.data.episodes import COLUMNS, About, Episodes, numbered
from dagger_cli.utils.files import write_bytes

FINAL, FINAL_OF, ABOUT = "final_observation", "final_episode", "about"
NAMES = {
    "observation": ("observation", "observations", "obs", "states"),
    "expert_action": ("expert_action", "expert_actions", "labels", "action", "actions", "acts"),
    "action": ("action", "actions", "acts"),
    "reward": ("reward", "rewards", "rews"),
    "terminated": ("terminated", "terminations", "terminals"),
    "truncated": ("truncated", "truncations", "timeouts"),
    "episode": ("episode", "episodes", "episode_index"),
    "step": ("step", "steps"),
}
MOST_BYTES = 2**36  # of all arrays, uncompressed
ENDS = ("dones", "done", "episode_ends")


def write_npz(episodes: Episodes, path: Path) -> None:
    """Writes the file."""
    buffer = io.BytesIO()
    columns: dict[str, Any] = {
        **episodes.columns,
        FINAL: episodes.final_observation,
        FINAL_OF: episodes.final_episode,
        ABOUT: np.asarray(json.dumps(about_json(episodes.about))),
    }
    np.savez_compressed(buffer, **columns)
    write_bytes(path, buffer.getvalue())


def read_npz(path: Path) -> Episodes:
    """Reads the file; raises ConfigError for another kind, and for arrays of Python objects."""
    arrays = load_arrays(path)
    if ABOUT in arrays:
        return _own(arrays, path)
    return _foreign(arrays, path)


def load_arrays(path: Path) -> dict[str, Array]:
    """Returns the arrays of an .npz file of numbers and texts.

    Arrays of Python objects, which are pickles, are left out. Raises ConfigError for a file that
    is not whole or holds more than `MOST_BYTES`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise ConfigError(f"{path} holds {size / 2**30:,.0f} GiB, more than are read at once")
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: array for name in file.files if (array := _plain(file, name)) is not None}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as err:
        raise ConfigError(f"{path} is not a whole .npz file ({err}): write it again") from err


def _plain(file: Any, name: str) -> Array | None:
    try:
        array: Array = file[name]
    except ValueError as err:
        if "allow_pickle" in str(err):
            return None
        raise
    return array


def _own(arrays: Mapping[str, Array], path: Path) -> Episodes:
    about = read_about(str(arrays[ABOUT]), str(path))
    columns = {name: arrays[name] for name in COLUMNS if name in arrays}
    if FINAL not in arrays or FINAL_OF not in arrays:
        raise ConfigError(f"{path} lacks '{FINAL}': it was altered")
    return Episodes(columns, about, arrays[FINAL], arrays[FINAL_OF])


def _foreign(arrays: Mapping[str, Array], path: Path) -> Episodes:
    found: dict[str, Array] = {}
    for name, known in NAMES.items():
        here = [other for other in known if other in arrays]
        if here:
            found[name] = arrays[here[0]]
            if found[name].ndim == 0:
                raise ConfigError(
                    f"{path}: '{here[0]}' is a single value: give one row for each step"
                )
    for name in ("observation", "expert_action"):
        if name not in found:
            raise ConfigError(
                f"{path} has no array of numbers named {' or '.join(NAMES[name])} (it has "
                f"{', '.join(sorted(arrays)) or 'none'})"
            )
    if "indices" in arrays and len(found["observation"]) > len(found["expert_action"]):
        return _of_imitation(found, arrays["indices"], path)
    return Episodes(_with_episodes(found, arrays), About(source=str(path)), *_none(found))


def _with_episodes(found: dict[str, Array], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Adds the episode and the step of each row, from what the file says of the ends."""
    n = len(found["expert_action"])
    over = [arrays[name] for name in ENDS if name in arrays and len(arrays[name]) == n]
    over += [found[name] for name in ("terminated", "truncated") if name in found]
    if "episode" in found:
        over = [np.append(found["episode"][1:] != found["episode"][:-1], True)]
    elif "step" in found:
        over = [np.append(found["step"][1:] == 0, True)]
    ends = np.any([np.asarray(one, bool) for one in over], axis=0) if over else np.zeros(n, bool)
    episode, step = numbered(ends)
    return {**found, "episode": episode, "step": found.get("step", step)}


def _of_imitation(found: dict[str, Array], indices: Array, path: Path) -> Episodes:
    """Returns trajectories as imitation wrote them: one more observation than actions in each."""
    n, cuts = len(found["expert_action"]), indices.astype(np.int64).ravel()
    starts = np.concatenate([[0], cuts]) if not len(cuts) or cuts[0] != 0 else cuts
    lengths = np.diff(np.append(starts, n))
    if (lengths <= 0).any() or len(found["observation"]) != n + len(lengths):
        raise ConfigError(f"{path}: 'indices' does not fit the arrays: it is not a whole file")
    last = np.cumsum(lengths + 1) - 1
    rows = np.delete(np.arange(n + len(lengths)), last)
    ends = np.zeros(n, bool)
    ends[np.cumsum(lengths) - 1] = True
    episode, step = numbered(ends)
    obs = found["observation"]
    columns = {**found, "observation": obs[rows], "episode": episode, "step": step}
    return Episodes(columns, About(source=str(path)), obs[last], np.arange(len(lengths)))


def _none(found: Mapping[str, Array]) -> tuple[Array, Array]:
    return found["observation"][:0], np.empty(0, np.int64)
