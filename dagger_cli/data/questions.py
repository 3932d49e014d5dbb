"""States that wait for labels, in files of the run's folder.

questions/round_0002/states.npz     row, state, observation, step, privileged (where the student
                                    sees less than there is), and the action space
questions/round_0002/states.csv     the same for spreadsheets, where an observation is short
questions/round_0002/pictures/      row_000012.png, where observations are pictures
questions/round_0002/README.md      what is wanted
questions/round_0002/answers/       NAME.npz: row, state, action; one file a person or program

`state` is a digest of the row, so that answers to other states are noticed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Observation, Space
from dagger_cli.data.lerobot_video import as_frames
from dagger_cli.data.npz import load_arrays
from dagger_cli.data.questions_readme import readme
from dagger_cli.data.spaces import as_json, from_json
from dagger_cli.utils.files import new_folder, write_bytes, write_text

STATES, TABLE, ANSWERS = "states.npz", "states.csv", "answers"
SHORT = 64  # numbers of an observation that a table has columns for
MOST_PICTURES = 20_000


@dataclass(frozen=True)
class Questions:
    """The states of one round in `folder`; `states` (n,) are their digests."""

    folder: Path
    states: Array
    action_space: Space

    @property
    def round(self) -> int:
        """Returns the round, from 1."""
        return int(self.folder.name.removeprefix("round_"))


def folder_of(questions: Path, round: int) -> Path:
    """Returns the folder of a round (from 1)."""
    return questions / f"round_{round:04d}"


def digests_of(observation: Observation) -> Array:
    """Returns a digest of each row, (n,) texts of 16 digits."""
    parts = [observation.obs, observation.t]
    if observation.privileged is not None:
        parts.append(observation.privileged)
    n = len(observation)
    flat = [np.ascontiguousarray(part).reshape(n, -1) for part in parts]
    rows = (b"".join(part[i].tobytes() for part in flat) for i in range(n))
    found = [hashlib.blake2b(row, digest_size=8).hexdigest() for row in rows]
    return np.asarray(found, "U16")


def write_questions(folder: Path, observation: Observation, actions: Space) -> Questions:
    """Writes the states of a round to a new folder."""
    states = digests_of(observation)
    columns: dict[str, Any] = {
        "row": np.arange(len(states)),
        "state": states,
        "step": observation.t,
        "observation": observation.obs,
        "action_space": np.asarray(json.dumps(as_json(actions))),
    }
    if observation.privileged is not None:
        columns["privileged"] = observation.privileged
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(folder) as draft:
        (draft / ANSWERS).mkdir()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **columns)
        write_bytes(draft / STATES, buffer.getvalue())
        pictures = _write_pictures(draft / "pictures", observation.obs)
        short = observation.obs[0].size <= SHORT
        if short:
            write_text(draft / TABLE, _table(states, observation))
        text = readme(folder, actions, observation.obs, len(states), pictures=pictures, table=short)
        write_text(draft / "README.md", text)
    return Questions(folder, states, actions)


def _table(states: Array, observation: Observation) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    flat = observation.obs.reshape(len(states), -1)
    writer.writerow(["row", "state", "step", *(f"observation_{i}" for i in range(flat.shape[1]))])
    rows = zip(states.tolist(), observation.t.tolist(), flat.tolist(), strict=True)
    writer.writerows([i, state, step, *numbers] for i, (state, step, numbers) in enumerate(rows))
    return out.getvalue()


def _write_pictures(folder: Path, obs: Array) -> bool:
    """Writes observations that are pictures as PNG; returns whether they are."""
    frames = as_frames(obs)
    if frames is None or len(frames) > MOST_PICTURES:
        return False
    import imageio

    folder.mkdir()
    for row, frame in enumerate(frames):
        imageio.imwrite(folder / f"row_{row:06d}.png", frame)
    return True


def read_questions(folder: Path) -> Questions:
    """Reads the states of a round; raises ConfigError where the file is not whole."""
    arrays = load_arrays(folder / STATES)
    try:
        space = from_json(json.loads(str(arrays["action_space"])))
        states = arrays["state"].astype("U16")
        if space is None:
            raise ValueError("no action space")
    except (KeyError, ValueError, TypeError, RecursionError, zipfile.BadZipFile) as err:
        raise ConfigError(f"{folder / STATES} is not whole ({err!r}): remove {folder}") from err
    return Questions(folder, states, space)


def newest_questions(questions: Path) -> Questions | None:
    """Returns the states of the last round in a run's folder of questions, None without any."""
    folders = sorted(questions.glob("round_[0-9]*"))
    return read_questions(folders[-1]) if folders else None
