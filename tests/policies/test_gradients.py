"""Explicit gradients are bit-identical to autograd's, which other networks use."""

import copy

import pytest
import torch
from torch import nn

from dagger_cli.core.types import Space
from dagger_cli.networks import gradients
from dagger_cli.networks.gradients import gradient_of
from dagger_cli.networks.modules import cnn, initialise, mlp
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.optimizers import OPTIMIZERS

N = 300
OBSERVATIONS = Space("box", (24,), "float32", (-9.0,) * 24, (9.0,) * 24)
TORQUES = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
CHOICES = Space("discrete", (), "int64", sizes=(3,))


def problem(sizes, activation, space, loss):
    generator = torch.Generator().manual_seed(1)
    head = make_head(space, loss)
    network = mlp(OBSERVATIONS, head.outputs, sizes, activation)
    initialise(network, generator)
    obs = 3 * torch.randn(N, 24, generator=generator)
    network[0].take(obs)
    labels = torch.rand(N, 4, generator=generator) * 2 - 1
    if space is CHOICES:
        labels = torch.randint(3, (N,), generator=generator)
    return network, head, obs, head.targets(labels.numpy())


def autograd(network, head, obs, targets):
    network.zero_grad()
    loss = head.loss(network(obs), targets)
    loss.backward()
    return loss.detach(), [p.grad for p in network.parameters()]


@pytest.mark.parametrize("sizes", [(), (64,), (128, 128), (256, 64, 32)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    "space, loss",
    [(TORQUES, "mse"), (TORQUES, "huber"), (CHOICES, "cross_entropy"), (CHOICES, "hinge")],
)
def test_by_hand_is_autograd(sizes, activation, space, loss, monkeypatch):
    monkeypatch.setattr(gradients, "_by_autograd", None)  # so it cannot have been used
    network, head, obs, targets = problem(sizes, activation, space, loss)
    gradient = gradient_of(network, head)
    for rows in (slice(0, 128), slice(128, 165), slice(299, 300)):
        value, found = autograd(network, head, obs[rows], targets[rows])
        with torch.no_grad():
            mine, ours = gradient.of(gradient.prepare(obs[rows]), targets[rows])
        assert torch.equal(mine, value)
        assert all(torch.equal(a, b) for a, b in zip(ours, found, strict=True))


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([nn.Linear(24, 8), nn.SiLU(), nn.Linear(8, 4)], id="another-activation"),
        pytest.param([nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 4, bias=False)], id="no-bias"),
        pytest.param([nn.Linear(24, 8), nn.ReLU(), nn.ReLU(), nn.Linear(8, 4)], id="other-order"),
        pytest.param([nn.Linear(24, 4), nn.Tanh()], id="activation-last"),
    ],
)
def test_other_networks_are_left_to_autograd(layers, monkeypatch):
    monkeypatch.setattr(gradients, "_by_hand", None)
    network, head, obs, targets = problem((8,), "relu", TORQUES, "mse")
    other = nn.Sequential(network[0], *layers)
    value, found = autograd(other, head, obs, targets)
    with torch.no_grad():
        mine, ours = gradient_of(other, head).of(obs, targets)
    assert torch.equal(mine, value)
    assert all(torch.equal(a, b) for a, b in zip(ours, found, strict=True))


def images(channels_last):
    shape = (40, 36, 3) if channels_last else (3, 40, 36)
    return Space("box", shape, "uint8", (0.0,) * 4320, (255.0,) * 4320)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_step_on_images_is_torchs_wherever_their_channels_are(
    optimizer, channels_last, normalize
):
    generator = torch.Generator().manual_seed(0)
    head = make_head(CHOICES, "auto")
    network = cnn(images(channels_last), 3, (4, 6, 8), 16, normalize=normalize)
    initialise(network, generator)
    obs = torch.randint(256, (32, 3, 40, 36), dtype=torch.uint8, generator=generator)
    obs = obs.permute(0, 2, 3, 1).contiguous() if channels_last else obs
    targets = head.targets(torch.randint(3, (32,), generator=generator).numpy())
    theirs = copy.deepcopy(network)
    torchs = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    autograd(theirs, head, obs, targets)
    torchs[optimizer](theirs.parameters(), lr=0.01, weight_decay=0).step()
    ours = OPTIMIZERS[optimizer](list(network.parameters()), (), 0.0)
    with torch.no_grad():
        ours.step(gradient_of(network, head).of(obs, targets)[1], 0.01)
    for mine, wanted in zip(network.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-6)


class Shifted(nn.Module):
    """Outputs with a parameter whose gradient is one number, seen at every place."""

    def __init__(self):
        super().__init__()
        self.last, self.shift = nn.Linear(24, 4), nn.Parameter(torch.zeros(50))

    def forward(self, obs):
        return self.last(obs) + self.shift.sum()


def test_gradients_own_their_memory_as_the_kernels_expect():
    _, head, obs, targets = problem((8,), "relu", TORQUES, "mse")
    network = Shifted()
    _, wanted = autograd(network, head, obs, targets)
    with torch.no_grad():
        found = gradient_of(network, head).of(obs, targets)[1]
    assert [g.stride() for g in found] == [p.stride() for p in network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
