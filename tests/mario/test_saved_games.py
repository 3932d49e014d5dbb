"""Saved games are checked before compiled code reads them."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import EnvError
from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.env import MarioEnv, Play
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.saved_games import check_games
from dagger_cli.envs.mario.simulator.state import games_of

RULES = Rules(difficulty=8, kind=0, columns=320, time_limit=60, mode=2)


@pytest.mark.parametrize("difficulty", [0, 4, 12])
@pytest.mark.parametrize("mode", [0, 2])
def test_every_state_of_a_real_game_is_accepted(difficulty: int, mode: int) -> None:
    rules, n = Rules(difficulty, 0, 320, 40, mode), 40
    batch, rng, slots = Batch(n, rules), np.random.default_rng(difficulty), np.arange(n)
    batch.start(slots, slots)
    keys = np.zeros(n, np.int64)
    for tick in range(700):
        if tick % 5 == 0:  # mostly to the right, fast and jumping
            keys = np.where(rng.random(n) < 0.7, 2, rng.integers(0, 4, n)) + 8 * (
                rng.random(n) < 0.6
            )
            keys += 16 * (rng.random(n) < 0.6)
        batch.advance(slots, keys, 1)
        check_games(batch.games, rules)
    assert (batch.games["status"] != 2).all()  # the end of every game was seen, too


ALTERED = [
    ("columns", 32767), ("n_sprites", 64), ("n_sprites", 0), ("n_added", 1), ("carried", 63),
    ("carried", 0), ("first_column", -3000), ("kind", 2), ("status", 9), ("x_camera", 1e30),
    ("sprites.x", np.nan), ("sprites.xa", np.inf), ("sprites.kind", 127), ("sprites.home", 9999),
    ("sprites.timer", -1), ("height", -128), ("tick", -1), ("sprites.dead_time", -1),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), ALTERED)
def test_a_value_that_no_game_can_have_is_named(field: str, value: float) -> None:
    env = MarioEnv(Play(RULES, 3, "features", "died"), 2)
    env.reset(np.arange(2), np.arange(2))
    saved = env.snapshot()
    games = games_of(saved["games"])
    env.restore(saved)  # unaltered
    if field.startswith("sprites."):
        games["sprites"][field[8:]][1, 0] = value
    else:
        games[field][1] = value
    with pytest.raises(EnvError, match=f"the saved games are altered: '{field}'"):
        env.restore({**saved, "games": games.view(np.uint8).reshape(2, -1)})


def test_arrays_of_another_shape_or_type_are_refused() -> None:
    env = MarioEnv(Play(RULES, 3, "features", "died"), 2)
    env.reset(np.arange(2), np.arange(2))
    saved = env.snapshot()
    for name, array in saved.items():
        for other in (array[:1], array.astype(np.float16)):
            with pytest.raises(EnvError, match="do not fit this environment"):
                env.restore({**saved, name: other})
