"""When a run says that its labels are too early in the episodes, and what it proposes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from dagger_cli.commands.train_report import _early, _slower
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Score

EXPERT = Score(np.arange(2), np.ones(2), np.array([100, 300]), np.zeros(2, bool))  # a tenth: 20


def job(schedule="Exponential", hides=False, **trainer):
    beta = {"_target_": f"dagger_cli.core.schedules.{schedule}"}
    config = {"n_envs": 2, "trainer": {"roll_in": "none", "beta": beta, **trainer}}
    return SimpleNamespace(config=config, kit=SimpleNamespace(hides=hides))


def state(n=40, beta=0.5):
    rows = np.zeros((n, 1), np.float32)
    newest = Dataset(rows, np.arange(n), rows, (n,))
    return SimpleNamespace(data=SimpleNamespace(newest=newest), metrics={"train/beta": beta})


def test_the_share_is_that_of_the_first_tenth():
    assert _early(job(), state(), EXPERT) == 0.5


@pytest.mark.parametrize(
    ("of", "at"),
    [
        (job(hides=True), state()),
        (job(roll_in="uniform"), state()),
        (job(), state(beta=1)),
        (job(), state(n=39)),  # 20 steps in each of two environments are a tenth
        (job(), SimpleNamespace(data=None, metrics={})),
    ],
)
def test_nothing_is_said_where_it_has_another_cause(of, at):
    assert _early(of, at, EXPERT) is None


def test_what_the_run_has_is_not_proposed():
    assert _slower(job("Linear")) == "trainer.roll_in=uniform"
    assert _slower(job()) == "beta=linear, or trainer.roll_in=uniform"
