"""Choice of the device for a fit, and the fitted policy on the CPU."""

import numpy as np
import pytest
import torch
from torch import nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.policies.devices import check_device, device_for

from .learners import BOX, CHOICE, OBS, box_data, choice_data, learner, numbers, observation

needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch sees no GPU here, so nothing can be fitted on one"
)


@pytest.fixture(params=[False, True], ids=["no gpu", "gpu"])
def gpu(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)
    return request.param


def test_cpu_is_always_the_processor(gpu):
    check_device("cpu")
    assert device_for("cpu", nn.Linear(4000, 4000), 4096).type == "cpu"


def test_auto_takes_a_gpu_for_large_networks_and_large_batches_only(gpu):
    check_device("auto")
    walker = nn.Sequential(nn.Linear(24, 128), nn.Linear(128, 128), nn.Linear(128, 4))
    large = "cuda" if gpu else "cpu"
    assert device_for("auto", walker, 128).type == "cpu"
    assert device_for("auto", walker, 8192).type == large
    assert device_for("auto", nn.Linear(4000, 4000), 128).type == large
    assert device_for("auto", nn.Sequential(nn.Conv2d(4, 8, 8), nn.Linear(8, 2)), 64).type == large


def test_cuda_is_taken_whatever_the_size_where_there_is_one(gpu):
    if not gpu:
        with pytest.raises(ConfigError, match=r"policy\.device=cuda, but torch sees no GPU"):
            learner(device="cuda")
        return
    learner(device="cuda")
    assert device_for("cuda", nn.Linear(1, 1), 1).type == "cuda"


def test_other_devices_are_refused():
    with pytest.raises(ConfigError, match=r"policy\.device must be one of auto, cpu, cuda; got"):
        learner(device="mps")


def test_auto_without_a_gpu_gives_the_processors_bits(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    one, other = learner(device="cpu"), learner(device="auto")
    a, b = (x.fit(box_data(50), None, np.random.default_rng(0)) for x in (one, other))
    assert a.loss == b.loss
    ours, theirs = numbers(one, a.policy), numbers(other, b.policy)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


@needs_gpu
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("actions", [BOX, CHOICE], ids=["box", "choice"])
def test_a_gpu_learns_what_the_processor_learns_and_goes_on_from_it(actions, optimizer):
    data = (box_data if actions is BOX else choice_data)(500)
    fits = {}
    for device in ("cpu", "cuda"):
        one = learner(OBS, actions, device=device, optimizer=optimizer, weight_decay=0.01)
        first = one.fit(data, None, np.random.default_rng(0))
        back = one.unpack(numbers(one, first.policy))  # as a machine without one would read it
        fits[device] = (first.loss, one.fit(data, back, np.random.default_rng(1)).loss)
        assert all(p.device.type == "cpu" for p in first.policy.network.parameters())
        assert len(first.policy.act(observation(data.obs), np.random.default_rng(0)).actions) == 500
    np.testing.assert_allclose(fits["cuda"], fits["cpu"], rtol=1e-3)
