"""Compact rows read as the array that they stand for, bit for bit, and take less room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagger_cli.core.bit_rows import BitForm
from dagger_cli.core.compact import CompactRows, packed
from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.frame_rows import FrameForm, Split
from dagger_cli.core.row_forms import LIKE, file_columns, form_of, image_split, rows_in
from dagger_cli.core.types import Space
from dagger_cli.utils.memmap import allocator, at_random, will_need

# Stacks of 3 frames: channels first, channels last, flat with numbers that belong to no frame.
FORMS = {
    "first": FrameForm((3, 4, 5), "uint8", image_split((3, 4, 5))),
    "last": FrameForm((5, 4, 3), "uint8", image_split((5, 4, 3))),
    "flat": FrameForm((14,), "float32", Split(1, 3, 4)),
    "bits": BitForm((3, 7), "int8", tuple(bool(i % 5) for i in range(21))),
    "all bits": BitForm((11,), "bool", (True,) * 11),
}


def episodes(form, n, seed=0):
    """Rows of two interleaved episodes whose stacks move on by a frame at a time."""
    return _episodes(form, max(n, 1), np.random.default_rng(seed))[:n]


def _episodes(form, n, rng):
    if isinstance(form, BitForm):
        rows = rng.integers(0, 2, (n, *form.shape))
        rest = ~np.array(form.binary).reshape(form.shape)
        rows[:, rest] = rng.integers(-100, 100, (n, int(rest.sum())))
        return rows.astype(form.dtype)
    split, size = form.split, int(np.prod(form.shape))
    frames = rng.integers(0, 200, (n + 10, split.lines, split.width)).astype(form.dtype)
    starts = [2 * (i // 2) // 2 + (i % 2) * (n // 2 + 3) for i in range(n)]
    stacks = np.stack([np.stack([frames[s + j] for j in range(split.stack)], 1) for s in starts])
    tail = rng.normal(size=(n, size - split.size)).astype(form.dtype)
    return np.concatenate([stacks.reshape(n, -1), tail], 1).reshape(n, *form.shape)


def dataset(rows):
    n = len(rows)
    return Dataset(rows, np.arange(n), np.arange(n) * 10, (n,))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 90))
def test_an_aggregate_of_compact_rows_is_that_of_arrays(form, sizes, capacity):
    rounds = [episodes(form, n, seed) for seed, n in enumerate(sizes)]
    whole, data, pasts = np.concatenate(rounds), None, []
    for rows in rounds:
        data = aggregate(data, dataset(rows), capacity=capacity, form=form)
        pasts.append(data)
    for total, past in zip(np.cumsum(sizes), pasts, strict=True):  # later rows leave it as it is
        assert past.obs.dtype == whole.dtype and past.obs.tobytes() == whole[:total].tobytes()
    for part, rows in zip(data.by_round(), rounds, strict=True):
        assert part.obs.tobytes() == rows.tobytes()
    chosen = np.arange(len(whole))[::-2]
    for rows in (chosen, chosen % 3 == 0, slice(1, None, 3)):
        if len(np.shape(rows)) == 0 or len(rows) == len(whole):
            assert data[rows].obs.tobytes() == whole[rows].tobytes()
    assert data[chosen].obs.tobytes() == whole[chosen].tobytes()
    branch = aggregate(pasts[0], dataset(rounds[-1]))
    assert branch.obs.tobytes() == np.concatenate([rounds[0], rounds[-1]]).tobytes()
    assert data.obs.tobytes() == whole.tobytes()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_columns_of_a_file_say_how_to_read_them(form):
    rows = episodes(form, 40)
    data = aggregate(None, dataset(rows[:25]), capacity=40, form=form)
    data = aggregate(data, dataset(rows[25:]))
    columns = file_columns(data.newest.stored)
    found = rows_in(columns)
    assert isinstance(found, CompactRows) and found.form == form
    assert np.asarray(found).tobytes() == rows[25:].tobytes()
    for name in columns.keys() - {LIKE}:
        for damaged in (None, columns[name].astype(np.complex64), columns[name][..., None]):
            other = {} if damaged is None else {name: damaged}
            with pytest.raises(ValueError, match=r"part|mask|split"):
                rows_in({k: v for k, v in columns.items() if k != name} | other)
    assert file_columns(rows) == {"obs": rows} and rows_in({}) is None


def test_a_number_of_a_frame_that_is_not_there_is_refused():
    columns = file_columns(packed(episodes(FORMS["first"], 9), FORMS["first"]))
    for wrong in (-1, len(columns["obs.frames"])):
        index = columns["obs.index"].copy()
        index[3, 1] = wrong
        with pytest.raises(ValueError, match="a frame that is not there"):
            rows_in({**columns, "obs.index": index})


def test_a_row_that_breaks_the_description_turns_all_rows_into_an_array():
    """The space says 0 or 1, the environment returns 2: nothing is lost."""
    form = FORMS["bits"]
    rows = episodes(form, 30)
    rows[20, 0, 1] = 2
    first = aggregate(None, dataset(rows[:10]), capacity=30, form=form)
    then = aggregate(aggregate(first, dataset(rows[10:25])), dataset(rows[25:]))
    assert isinstance(first.stored, CompactRows) and isinstance(then.stored, np.ndarray)
    assert then.obs.tobytes() == rows.tobytes() and then.rounds == (10, 15, 5)


def test_zeros_with_a_sign_and_nan_keep_their_bits():
    rows = np.zeros((4, 14), np.float32)
    rows[1, :4], rows[2, :4] = -0.0, np.nan
    rows[3, :4] = np.array([np.nan], np.float32).view(np.uint32) + 1  # another nan
    assert np.asarray(packed(rows, FORMS["flat"])).tobytes() == rows.tobytes()


def test_each_frame_is_stored_once_and_eight_bits_are_a_byte():
    rows = np.lib.stride_tricks.sliding_window_view(np.arange(200 * 49, dtype=np.int32), 4 * 49)
    rows = rows[::49].reshape(-1, 4, 7, 7)  # 197 steps of one episode: 200 frames
    stored = packed(rows, FrameForm((4, 7, 7), "int32", image_split((4, 7, 7))))
    assert stored.nbytes == 200 * 49 * 4 + 197 * 4 * 4
    assert packed(np.ones((8, 27), bool), BitForm((27,), "bool", (True,) * 27)).nbytes == 8 * 4


def test_images_that_share_nothing_stay_an_array():
    images = np.random.default_rng(0).integers(0, 255, (10, 30, 30, 3), np.uint8)
    form = form_of(Space("box", (30, 30, 3), "uint8", (0.0,) * 2700, (255.0,) * 2700), None)
    assert isinstance(form, FrameForm)
    assert aggregate(None, dataset(images), form=form).stored is not images
    assert isinstance(aggregate(None, dataset(images), form=form).stored, np.ndarray)


@pytest.mark.parametrize(
    ("space", "kind"),
    [
        (Space("multi_binary", (100,), "int8", sizes=(2,) * 100), BitForm),
        (Space("multi_binary", (8,), "int8", sizes=(2,) * 8), type(None)),  # too little to gain
        (Space("box", (80,), "uint8", (0.0,) * 80, (1.0,) * 70 + (9.0,) * 10), BitForm),
        (Space("box", (80,), "float32", (0.0,) * 80, (1.0,) * 80), type(None)),
        (Space("box", (80,), "uint8", (0.0,) * 80, (255.0,) * 80), type(None)),
        (Space("box", (4, 84, 84), "uint8", (0.0,), (255.0,)), FrameForm),
    ],
)
def test_the_space_says_which_form_rows_have(space, kind):
    assert type(form_of(space, None)) is kind


@pytest.mark.parametrize("name", FORMS)
def test_compact_rows_on_disk_are_those_in_memory(tmp_path, name):
    form, data = FORMS[name], None
    rows = episodes(form, 60)
    for begin in (0, 20, 50):
        part = dataset(rows[begin : [20, 50, 60][(0, 20, 50).index(begin)]])
        allocate = allocator("disk", tmp_path)
        data = aggregate(data, part, capacity=60, allocate=allocate, form=form)
    assert isinstance(data.stored, CompactRows)
    with at_random(data.stored):
        will_need(data.stored, np.arange(0, 60, 7))
        assert data[np.arange(0, 60, 7)].obs.tobytes() == rows[::7].tobytes()
    assert replace(data, weights=None).obs.tobytes() == rows.tobytes()
