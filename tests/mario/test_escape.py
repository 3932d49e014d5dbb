"""Actions that the planner marks as unsafe lose the game; all others can be survived."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dagger_cli.core.actions import all_actions
from dagger_cli.core.types import Observation
from dagger_cli.experts.mario_planner import source as planner
from dagger_cli.experts.mario_planner.kernels import BUTTON_SETS
from tests.mario.test_planner import GAME, expert

RUN = np.int8([0, 1, 0, 1])  # right and speed
WAYS = (0, 2, 5, 7, 9, 11)  # of `ACTIONS`: stay, run right or left, each with a jump or without
ACTIONS = all_actions(GAME.action_space, instead="")


def last_views(n: int, steps: int) -> list[Observation]:
    """The last views of those of n games in which Mario, who only runs, dies."""
    env, running = GAME.open(n), np.arange(n)
    env.reset(running, 1_000_000 + running)
    seen: list[list[Observation]] = [[] for _ in running]
    last = []
    for _ in range(60):  # not long enough for the time to run out
        observation = env.observation[running]
        for i, slot in enumerate(running):
            seen[slot].append(joined([observation[i : i + 1]]))
        step = env.step(running, np.tile(RUN, (len(running), 1)))
        last += [joined(seen[slot][-steps:]) for slot in running[step.failed]]
        running = running[~step.ended]
    return last


def joined(observations: list[Observation]) -> Observation:
    """Their rows one after the other, copied."""
    parts = zip(*((v.obs, v.t, v.privileged) for v in observations), strict=True)
    return Observation(*map(np.concatenate, parts))


def survives(observation: Observation, actions: tuple[int, ...]) -> bool:
    """Whether Mario lives after doing these one after the other from the only row of the view."""
    env = GAME.open(1)
    env.reset(np.array([0]), np.array([1_000_000]))
    snapshot = dict(env.snapshot())
    [name] = [n for n, a in snapshot.items() if a.shape == observation.privileged.shape]
    snapshot[name] = observation.privileged
    env.restore(snapshot)
    return all(not env.step(np.array([0]), ACTIONS[[action]]).ended[0] for action in actions)


def test_the_button_sets_are_all_actions_in_their_order():
    assert (ACTIONS.astype(np.int64) @ planner.BUTTONS).tolist() == BUTTON_SETS.tolist()


def test_a_runner_dies_of_what_was_called_fatal_and_by_no_other_way():
    histories = last_views(40, 6)
    assert len(histories) >= 10
    safety_expert, run = expert(), ACTIONS.tolist().index(RUN.tolist())
    blamed = 0
    for observations in histories:
        marks = safety_expert.unsafe_actions(observations)
        assert not marks[0].all()  # six steps before, there is a way on
        mistakes = np.flatnonzero(marks[:, run] & ~marks.all(1))
        blamed += len(mistakes) > 0
        for at in mistakes[:1]:
            observation = observations[at : at + 1]
            others = [k for k in range(16) if not marks[at, k]]
            assert any(
                survives(observation, (k, *more)) for k in others for more in product(WAYS, WAYS)
            )
    assert blamed == len(histories)


def test_warnings_are_the_same_in_any_order_and_for_any_number_of_threads(monkeypatch):
    one = joined(last_views(20, 4))
    monkeypatch.setattr(planner, "usable_cores", lambda: 3)
    marks = expert().unsafe_actions(one)
    assert marks.any() and not marks.all()
    assert np.array_equal(marks[::-1], expert().unsafe_actions(one[::-1]))
    alone = np.concatenate([expert().unsafe_actions(one[i : i + 1]) for i in range(len(one))])
    assert np.array_equal(marks, alone)


@pytest.mark.parametrize("n", [8])
def test_the_planner_itself_hardly_ever_does_what_it_calls_fatal(n):
    env, slots, player, rng = GAME.open(n), np.arange(n), expert(), np.random.default_rng(0)
    env.reset(slots, 2_000_000 - 1 - slots)
    done, mistakes = 0, 0
    for _ in range(60):
        observation = env.observation
        acts, marks = player.act(observation, rng).actions, player.unsafe_actions(observation)
        chosen = (acts * [8, 4, 2, 1]).sum(1)
        mistakes += int((marks[slots, chosen] & ~marks.all(1)).sum())
        done += n
        assert not env.step(slots, acts).failed.any()
    assert mistakes <= 0.01 * done
