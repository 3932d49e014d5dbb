"""The joint action head: actions, and the penalty on the probability of unsafe actions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dagger_cli.core.actions import all_actions
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.joint_head import Joint

BUTTONS = Space("multi_binary", (3,), "int8", sizes=(2, 2, 2))
DIALS = Space("multi_discrete", (2,), "int64", sizes=(3, 2), start=5)
LEVER = Space("discrete", (), "int64", sizes=(4,), start=-1)


@pytest.mark.parametrize("space", [BUTTONS, DIALS, LEVER])
def test_every_action_has_an_output_and_is_its_own_target(space):
    head, actions = Joint(space, 1.0), all_actions(space, instead="")
    assert head.outputs == len(actions)
    answers = head.actions(np.eye(len(actions), dtype=np.float32))
    assert np.array_equal(answers, actions) and answers.dtype == space.dtype
    assert head.targets(actions)[:, 0].tolist() == list(range(len(actions)))


def test_without_warnings_the_loss_is_the_cross_entropy_of_the_combination():
    head, outputs = Joint(BUTTONS, 9.0), torch.tensor(np.random.default_rng(0).normal(size=(5, 8)))
    labels = all_actions(BUTTONS, instead="")[[0, 3, 7, 7, 2]]
    logs = torch.log_softmax(outputs, 1)[range(5), [0, 3, 7, 7, 2]]
    assert torch.isclose(head.loss(outputs, head.targets(labels)), -logs.mean())


def test_the_loss_adds_the_likelihood_that_nothing_fatal_is_done():
    head, outputs = Joint(LEVER, 3.0), torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]]))
    fatal = np.array([[False, True, False, True]])
    found = head.loss(outputs, head.targets(np.array([1]), fatal))
    assert np.isclose(float(found), -np.log(0.3) - 3 * np.log(0.1 + 0.3))


def test_where_everything_is_fatal_nothing_is_marked():
    fatal = np.array([[True] * 4, [True, False, True, True]])
    marks = Joint(LEVER, 1.0).targets(np.array([0, 0]), fatal)[:, 1:]
    assert marks.tolist() == [[0, 0, 0, 0], [1, 0, 1, 1]]


def test_a_certain_death_has_a_finite_loss_and_a_way_out():
    head, outputs = Joint(LEVER, 1.0), torch.tensor([[0.0, 0, 0, 80]], requires_grad=True)
    loss = head.loss(outputs, head.targets(np.array([2]), np.array([[False, False, False, True]])))
    loss.backward()
    assert torch.isfinite(loss) and outputs.grad is not None and outputs.grad[0, 3] > 0


def test_continuous_actions_and_negative_penalty_are_refused():
    with pytest.raises(ConfigError, match="continuous"):
        Joint(Space("box", (1,), "float32", (-1.0,), (1.0,)), 1.0)
    with pytest.raises(ConfigError, match=r"policy\.unsafe_penalty must be 0 or more"):
        Joint(LEVER, -1.0)
