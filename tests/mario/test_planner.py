"""The planner's labels: complete, the same for any number of threads, and good enough to win."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.envs.mario.source import mario
from dagger_cli.experts.mario_planner import ready
from dagger_cli.experts.mario_planner import source as planner
from dagger_cli.experts.mario_planner.source import MarioPlanner, PlanningExpert

KEYS = {"ticks_per_action": 3, "nodes": 1000, "horizon": 220.0, "greed": 0.9, "damage": 1000.0}
KEYS |= {"caution": 6.0}
GAME = mario(
    id="mario", start_mode="small", difficulty=1, stage_type="overground", length=320,
    time_limit=60, ticks_per_action=3, observation="compact", failure="unfinished", workers=0,
)  # fmt: skip


def expert() -> PlanningExpert:
    loaded = MarioPlanner(**KEYS).load("mario", GAME.observation_space, GAME.action_space)
    assert isinstance(loaded, PlanningExpert)
    return loaded


def test_labels_are_the_same_for_any_number_of_threads_and_any_order(monkeypatch):
    n = 40
    slots = np.arange(n)
    experts = []
    for cores in (1, 4):
        monkeypatch.setattr(planner, "usable_cores", lambda cores=cores: cores)
        experts.append(expert())
        assert len(experts[-1]._trees) == cores
    env = GAME.open(n)
    env.reset(slots, 1_000_000 + slots)
    for _ in range(12):
        rows = env.observation.privileged
        keys, used = experts[0].plan(rows)
        others, used_there = experts[1].plan(rows[::-1])
        assert (used > 0).all()
        assert (keys == others[::-1]).all() and (used == used_there[::-1]).all()
        env.step(slots, ((keys[:, None] & planner.BUTTONS) != 0).astype(np.int8))


def test_no_row_takes_no_label():
    keys, used = expert().plan(np.empty((0, planner.GAME_BYTES), np.uint8))
    assert len(keys) == len(used) == 0


def test_the_planner_completes_stages():
    n = 10
    slots = np.arange(n)
    env, player = GAME.open(n), expert()
    env.reset(slots, 1_000_000 + slots)
    running = slots
    while len(running):
        acts = player.act(env.observation[running], np.random.default_rng(0))
        running = running[~env.step(running, acts.actions).ended]
    assert env.won.all()


@pytest.mark.parametrize("key", ["nodes", "caution", "ticks_per_action"])
def test_bad_keys_are_named(key):
    with pytest.raises(ConfigError, match=f"expert.{key} must be"):
        MarioPlanner(**{**KEYS, key: -1})


def test_compiling_is_announced_once_after_an_installation(monkeypatch, tmp_path):
    monkeypatch.setattr(ready, "machine_code", lambda sources: tmp_path)
    said: list[str] = []
    for _ in range(2):
        ready.make_ready(expert().settings, said.append)
    assert len(said) == 1 and "compiling the Mario planner" in said[0]


def test_where_nothing_can_be_kept_it_is_announced_every_time(monkeypatch):
    monkeypatch.setattr(ready, "machine_code", lambda sources: None)
    said: list[str] = []
    for _ in range(2):
        ready.make_ready(expert().settings, said.append)
    assert len(said) == 2
