"""A run that was fitted on a GPU can be evaluated and resumed on a machine without one."""

from unittest import mock

import pytest
import torch

from dagger_cli.policies import torch_learner

from .running import TINY, dagger


@pytest.fixture
def fitted_elsewhere(tmp_path):
    """The config says cuda; this machine only pretended to have it while it trained."""
    with (
        mock.patch.object(torch.cuda, "is_available", lambda: True),
        mock.patch.object(torch_learner, "device_for", lambda *_: torch.device("cpu")),
    ):
        trained = dagger("train", *TINY, "policy.device=cuda", "hydra.run.dir=run", cwd=tmp_path)
    assert trained.code == 0, trained.err
    with mock.patch.object(torch.cuda, "is_available", lambda: False):
        yield tmp_path


def test_it_is_scored(fitted_elsewhere):
    scored = dagger("eval", "checkpoint=run", "episodes=2", cwd=fitted_elsewhere)
    assert scored.code == 0, scored.err


def test_it_goes_on_once_told_to_use_the_processor(fitted_elsewhere):
    refused = dagger("train", "resume=run", "rounds=4", cwd=fitted_elsewhere)
    assert refused.code == 2 and refused.err.startswith("dagger: policy.device=cuda, but torch")
    resumed = dagger("train", "resume=run", "rounds=4", "policy.device=cpu", cwd=fitted_elsewhere)
    assert resumed.code == 0, resumed.err
