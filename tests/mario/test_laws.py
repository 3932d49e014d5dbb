"""Laws of the simulator as a machine: copies, batches and threads change nothing."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.observations.grids import SIDE
from dagger_cli.envs.mario.simulator import state as layout
from tests.mario.playing import mario, rules, started

N, STEPS = 24, 120
ALL = np.arange(N)


def actions(rng: np.random.Generator, n: int = N) -> np.ndarray:
    """(STEPS, n) that get somewhere."""
    return rng.choice([2, 10, 18, 26, 26, 26, 9, 24, 4], (STEPS, n))


def play(batch: Batch, pressed: np.ndarray, slots: np.ndarray = ALL) -> None:
    for row in pressed:
        batch.advance(slots, row, 3)


def living(batch: Batch) -> list[bytes]:
    """The bytes of each game that mean something: up to its last sprite."""
    ends = layout.HEAD_WORDS + batch.games["n_sprites"] * layout.SPRITE_WORDS
    words = layout.words_of(batch.games)
    return [row[:end].tobytes() for row, end in zip(words, ends, strict=True)]


@pytest.fixture(scope="module")
def played() -> tuple[np.ndarray, list[bytes]]:
    pressed = actions(np.random.default_rng(1))
    batch = started(N, difficulty=5)
    play(batch, pressed)
    return pressed, living(batch)


def test_one_game_alone_is_the_game_in_the_batch(played):
    pressed, wanted = played
    for slot in (0, 7, N - 1):
        alone = started(1, first_seed=slot, difficulty=5)
        play(alone, pressed[:, [slot]], np.zeros(1, int))
        assert living(alone) == [wanted[slot]]


def test_the_number_of_threads_does_not_matter(played, monkeypatch):
    monkeypatch.setattr("dagger_cli.envs.mario.batch.TICKS_WORTH_A_THREAD", 6)
    pressed, wanted = played
    for threads in (2, 5):
        batch = started(N, difficulty=5)
        batch.threads = threads
        play(batch, pressed)
        assert living(batch) == wanted


def test_a_saved_row_has_the_same_future_in_another_batch_and_slot(played):
    pressed, wanted = played
    batch = started(N, difficulty=5)
    play(batch, pressed[:40])
    saved = batch.rows.copy()
    other = Batch(N, rules(difficulty=5))
    other.load(ALL[::-1], saved)
    play(other, pressed[40:, ::-1])
    assert living(other)[::-1] == wanted


def test_slots_that_are_not_named_stand_still():
    batch = started(3)
    before = batch.rows.copy()
    batch.advance(np.array([1]), np.array([10]), 5)
    assert (batch.rows[[0, 2]] == before[[0, 2]]).all()
    assert (batch.rows[1] != before[1]).any()


def test_a_game_that_is_over_stays_as_it_ended():
    batch = started(2, time_limit=1)
    batch.advance(np.arange(2), np.zeros(2), 15)
    assert batch.games["status"].tolist() == [layout.DEAD] * 2
    ended = batch.rows.copy()
    batch.advance(np.arange(2), np.full(2, 10), 50)
    assert (batch.rows == ended).all()


def test_copying_within_compiled_code_is_a_save():
    @numba.njit
    def copy_first(games, words):
        layout.copy_game(games, words, 0, 1)

    batch = started(2, difficulty=5)
    play(batch, actions(np.random.default_rng(2), 2)[:30], np.arange(2))
    copy_first(batch.games, layout.words_of(batch.games))
    first, second = living(batch)
    assert first == second
    assert layout.GAME_BYTES < 3500


def test_rows_that_are_not_aligned_are_read_all_the_same():
    batch = started(2)
    shifted = np.empty(batch.rows.size + 1, np.uint8)[1:].reshape(batch.rows.shape)
    shifted[:] = batch.rows
    assert layout.games_of(shifted).flags.aligned
    assert (layout.games_of(shifted) == batch.games).all()


def test_a_second_game_in_a_slot_knows_nothing_of_the_first():
    batch = started(1, difficulty=5)
    play(batch, actions(np.random.default_rng(3), 1), np.zeros(1, int))
    batch.start(np.zeros(1, int), np.array([9]))
    fresh = started(1, first_seed=9, difficulty=5)
    assert living(batch) == living(fresh)
    assert batch.stages.tobytes() == fresh.stages.tobytes()


def test_grids_follow_mario_and_refuse_what_they_do_not_know():
    batch = started(2)
    out = np.empty((2, SIDE, SIDE), np.int8)
    batch.advance(np.arange(2), np.zeros(2), 20)
    batch.grids(np.arange(2), 1, 0, out)
    row = int(mario(batch)["y"][0]) // 16
    below = batch.stages["tiles"][0, 2, row + 1]
    assert 128 <= below < 132 and out[0, 12, 11] == -10  # ground under his feet
    assert (out[0, :, :9] == 0).all()  # left of the map
    with pytest.raises(ValueError, match="zooms are 0 to 2"):
        batch.grids(np.arange(2), 3, 0, out)
    with pytest.raises(ValueError, match="int8"):
        batch.grids(np.arange(2), 1, 0, out.astype(np.int64))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"columns": 400}, "columns must be 96 to 320, got 400"),
        ({"mode": 3}, "mode must be 0 to 2, got 3"),
        ({"difficulty": -1}, "difficulty must be 0 to 1000, got -1"),
    ],
)
def test_rules_outside_their_range_are_refused_by_name(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        rules(**changes)
