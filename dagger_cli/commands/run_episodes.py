"""The labelled rows of a run as episodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.data.episodes import About, Episodes
from dagger_cli.tracking.rows_read import SavedRound

BESIDE = ("action", "from_expert", "reward", "terminated", "truncated", "failed")


def episodes_of(
    rounds: Sequence[SavedRound], about: About, n_envs: int, *, fails: bool
) -> Episodes:
    """Returns all rows, episode after episode; `fails`: the environment knows failures.

    Episodes go on across rounds. Columns that some round lacks are left out.
    """
    slots = _joined(_slots(one, n_envs) for one in rounds)
    steps = _joined(one.columns["steps"] for one in rounds)
    order = np.argsort(slots, kind="stable")
    sizes = [len(one.columns["steps"]) for one in rounds]
    number = np.repeat(np.arange(len(rounds)), sizes)
    begun = _joined(_begun(one) for one in rounds)
    begins = _begins(slots[order], steps[order], number[order], begun[order])
    columns = {
        "observation": _joined(one.columns["obs"] for one in rounds)[order],
        "expert_action": _joined(one.columns["labels"] for one in rounds)[order],
        "episode": np.cumsum(begins) - 1,
        "step": steps[order],
    }
    for name in BESIDE:
        if all(name in one.played for one in rounds):
            columns[name] = _joined(one.played[name] for one in rounds)[order]
    if fails and {"terminated", "truncated", "failed"} <= columns.keys():
        ended = columns["terminated"] | columns["truncated"]
        columns["success"] = ended & ~columns["failed"]
    columns["round"] = np.repeat([one.round for one in rounds], sizes)[order]
    columns["beta"] = np.repeat([one.beta for one in rounds], sizes)[order]
    columns["policy"] = np.repeat([one.policy[:16] for one in rounds], sizes)[order].astype("U16")
    return Episodes(columns, about, *_finals(rounds, sizes, order, columns))


def _joined(parts: Iterable[Array]) -> Array:
    return np.concatenate(list(parts))


def _slots(one: SavedRound, n_envs: int) -> Array:
    """Returns the slot of each row; in runs of before it was saved all slots took turns."""
    if "slot" in one.played:
        return one.played["slot"].astype(np.int64)
    return np.arange(len(one.columns["steps"])) % n_envs


def _begun(one: SavedRound) -> Array:
    """Returns how many episodes of its slot had begun in the round up to each row.

    It is saved for rounds of which some rows are labelled; of all others the steps tell.
    """
    return one.played.get("begun", np.zeros(len(one.columns["steps"]), np.int32))


def _begins(slots: Array, steps: Array, rounds: Array, begun: Array) -> Array:
    """Returns where an episode begins, (n,) bool, in rows sorted by slot and then by time."""
    begins = np.ones(len(slots), bool)
    begins[1:] = (slots[1:] != slots[:-1]) | (steps[1:] <= steps[:-1])
    before = np.where(rounds[1:] == rounds[:-1], begun[:-1], 0)
    begins[1:] |= begun[1:] != before
    return begins


def _finals(
    rounds: Sequence[SavedRound], sizes: Sequence[int], order: Array, columns: dict[str, Array]
) -> tuple[Array, Array]:
    """Returns the observations after the episodes' last steps, and these episodes."""
    offsets = np.cumsum([0, *sizes[:-1]])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    rows = [np.empty(0, np.int64)]
    obs = [columns["observation"][:0]]
    for one, offset in zip(rounds, offsets.tolist(), strict=True):
        if "last_rows" in one.played:
            rows.append(place[one.played["last_rows"] + offset])
            obs.append(one.played["last_obs"])
    episode = columns["episode"][np.concatenate(rows)]
    by_episode = np.argsort(episode, kind="stable")
    return np.concatenate(obs)[by_episode], episode[by_episode].astype(np.int64)
