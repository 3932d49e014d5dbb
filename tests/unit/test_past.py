"""Rows with their pasts: what a slot's tape hands out, what a data set keeps of it."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.compact import CompactRows, parts_in
from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.errors import EnvError
from dagger_cli.core.past import FRAMES, INDEX, PAST, in_episodes, joined, recent, with_past
from dagger_cli.core.row_forms import file_columns, rows_in
from dagger_cli.core.tape import ROOM, Tape


def histories(rows):
    """The observations up to each row, oldest first."""
    parts = zip(rows.parts[INDEX].tolist(), rows.parts[PAST].tolist(), strict=True)
    return [rows.parts[FRAMES][i - past : i + 1].tolist() for i, past in parts]


def played(tape, n, steps, ends):
    """Plays random steps; returns the rows of each step, and the histories kept by hand."""
    rng, kept, rows, wanted = np.random.default_rng(0), [[] for _ in range(n)], [], []
    tape.start(slice(None), first := rng.standard_normal((n, 2)))
    for slot, frame in enumerate(first.tolist()):
        kept[slot].append(frame)
    for step in range(steps):
        rows.append(tape.rows)
        wanted.append([list(one) for one in kept])
        frames = rng.standard_normal((n, 2))
        over = np.flatnonzero(ends(step))
        on = np.setdiff1d(np.arange(n), over)
        tape.push(on, frames[on])
        tape.start(over, frames[over])
        for slot, frame in enumerate(frames.tolist()):
            kept[slot] = [*([] if slot in over else kept[slot]), frame]
    return rows, wanted


@pytest.mark.parametrize("steps", [30, 2 * ROOM + 100])
def test_rows_stay_what_they_were_when_they_were_seen(steps):
    """Also where running episodes move to a new array: one never ends, so it outgrows the room."""
    tape = Tape(3, (2,), "float64")
    rows, wanted = played(tape, 3, steps, lambda i: np.array([False, i % 7 == 6, i % 40 == 30]))
    for i in (0, 1, 8, 29, steps // 2, steps - 1):
        assert histories(rows[i]) == wanted[i]
    some = list(range(0, steps, max(1, steps // 50)))
    together = joined([rows[i] for i in some])
    assert histories(together) == [one for i in some for one in wanted[i]]


def test_rows_of_one_array_share_it_and_joined_ones_keep_only_what_they_need():
    tape = Tape(2, (2,), "float64")
    rows, _ = played(tape, 2, 20, lambda i: np.array([i % 5 == 4, False]))
    assert all(one.parts[FRAMES] is rows[0].parts[FRAMES] for one in rows)
    few = joined([rows[3][:1], rows[7][:1]])
    assert len(few.parts[FRAMES]) == 4 + 3 and few.parts[PAST].tolist() == [3, 2]


def test_a_restored_tape_goes_on_as_the_saved_one_and_a_copied_slot_as_its_source():
    tape, other = Tape(3, (2,), "float64"), Tape(3, (2,), "float64")
    before, wanted = played(tape, 3, 12, lambda i: np.array([False, i == 4, i == 9]))
    other.load(tape.save())
    assert histories(other.rows) == histories(tape.rows)
    old = tape.rows
    tape.copy(np.array([0, 2]), np.array([1, 1]))
    assert histories(tape.rows) == [histories(old)[1]] * 3
    assert histories(before[11]) == wanted[11]  # of before, in the array of before
    for one in (tape, other):
        one.push(slice(None), np.full((3, 2), 7.0))
    assert histories(other.rows)[0] == [*histories(old)[0], [7.0, 7.0]]
    assert histories(tape.rows)[0] == [*histories(old)[1], [7.0, 7.0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda saved: saved.pop("tape.past"),
        lambda saved: saved.update({"tape.past": np.array([0, 99])}),
        lambda saved: saved.update({"tape.past": np.array([-1, 0])}),
        lambda saved: saved.update({"tape.frames": saved["tape.frames"][:1]}),
        lambda saved: saved.update({"tape.frames": saved["tape.frames"].astype("float32")}),
        lambda saved: saved["tape.frames"].fill(np.nan),
    ],
)
def test_a_damaged_tape_is_refused(change):
    tape = Tape(2, (2,), "float64")
    played(tape, 2, 5, lambda i: np.array([False, False]))
    saved = tape.save()
    change(saved)
    with pytest.raises(EnvError, match="the saved state"):
        Tape(2, (2,), "float64").load(saved)


def test_an_aggregate_keeps_the_pasts_of_all_rounds_and_so_does_a_file():
    tape, data, wanted = Tape(2, (2,), "float64"), None, []
    rows, kept = played(tape, 2, 40, lambda i: np.array([i % 11 == 10, i % 17 == 3]))
    for begin in (0, 15, 30):  # three rounds, of which every second row has a label
        here = range(begin, min(begin + 15, 40))
        past = joined([rows[i] for i in here])[::2]
        wanted += [one for i in here for one in kept[i]][::2]
        n = len(past)
        fresh = Dataset(past, past.parts[PAST], np.zeros(n, np.int64), (n,))
        data = aggregate(data, fresh, capacity=20)
    assert isinstance(data.stored, CompactRows) and histories(data.stored) == wanted
    assert histories(data.newest.stored) == wanted[-len(data.newest) :]
    assert data.obs.tolist() == [one[-1] for one in wanted]
    seen = data[5:9].observation
    assert histories(seen.past) == wanted[5:9] and seen.obs.tolist() == data.obs[5:9].tolist()
    columns = file_columns(data[3:].stored)
    assert histories(rows_in(columns)) == wanted[3:]


@pytest.mark.parametrize(
    ("name", "value"),
    [(INDEX, 99), (INDEX, -1), (PAST, 99), (PAST, -1), (PAST, None), (FRAMES, None)],
)
def test_rows_of_a_file_that_refer_to_what_is_not_there_are_refused(name, value):
    columns = file_columns(in_episodes(np.ones((4, 2)), np.arange(4)))
    assert set(parts_in(columns)) >= {FRAMES, INDEX, PAST}
    key = f"obs.{name}"
    if value is None:
        columns[key] = columns[key].astype(np.float32)
    else:
        columns[key][2] = value
    with pytest.raises(ValueError, match=r"fit|not there"):
        rows_in(columns)


def test_episodes_one_after_the_other_are_the_pasts_of_their_rows():
    obs = np.arange(8.0)[:, None]
    rows = in_episodes(obs, np.array([0, 1, 2, 0, 1, 4, 5, 0]))  # two steps are missing
    assert rows.parts[PAST].tolist() == [0, 1, 2, 0, 1, 0, 1, 0]
    assert np.array_equal(np.asarray(rows), obs)


def test_the_last_observations_of_a_row_begin_with_zeros_at_the_start_of_an_episode():
    rows = in_episodes(np.arange(1.0, 6.0)[:, None], np.array([0, 1, 2, 0, 1]))
    assert recent(rows[[2, 3, 1]], 3)[..., 0].tolist() == [[1, 2, 3], [0, 0, 4], [0, 1, 2]]
    assert recent(np.ones((2, 3)), 8).shape == (2, 3)


def test_an_empty_selection_can_be_joined_and_kept():
    rows = with_past(np.ones((3, 2)), np.arange(3), np.zeros(3, np.int64))
    none = joined([rows[:0], rows[:0]])
    assert len(none) == 0 and np.asarray(none).shape == (0, 2)
