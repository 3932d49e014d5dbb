"""A value function fitted to the returns of a run, for a reinforcement learner that goes on.

Targets are discounted returns along the recorded episodes. Where an episode was cut, by its step
limit or by the end of the run, the value of the last observation takes the place of what followed;
it comes from the fit before, `PASSES` times (fitted value iteration with Monte-Carlo returns).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dagger_cli.core.types import Array

if TYPE_CHECKING:
    from torch import Tensor, nn

GAMMA = 0.99  # PPO's in stable-baselines3
SIZES = (64, 64)
PASSES, STEPS, BATCH, RATE = 6, 600, 256, 1e-3
DECAY = 0.1  # of the weights: away from the recorded states the values stay moderate


class Critic(NamedTuple):
    """Linear layers (weight, bias) from observation to value, and how well they fit.

    `explained` is 1 - var(error) / var(target) on the rows that were fitted.
    """

    layers: list[tuple[Array, Array]]
    explained: float


class Recording(NamedTuple):
    """N steps of E episodes: `starts` (E + 1,) their first rows.

    `last_obs` (E, ...) are the observations after their last steps; `terminated` (E,) where nothing
    follows.
    """

    obs: Array
    rewards: Array
    starts: Array
    last_obs: Array
    terminated: Array


def returns_of(recording: Recording, last_values: Array, gamma: float) -> Array:
    """Returns the discounted return from each step on, (N,); `last_values` (E,) are at the ends."""
    found = np.empty(len(recording.rewards))
    follows = np.where(recording.terminated, 0.0, last_values)
    for e, (start, end) in enumerate(
        zip(recording.starts.tolist(), recording.starts[1:].tolist(), strict=False)
    ):
        value = follows[e]
        for row in range(end - 1, start - 1, -1):
            value = recording.rewards[row] + gamma * value
            found[row] = value
    return found


def fit_critic(
    recording: Recording, activation: str, gamma: float = GAMMA, seed: int = 0
) -> Critic:
    """Fits a network of `SIZES` with this activation of torch.nn; the same numbers every time."""
    import torch

    torch.manual_seed(seed)
    flat, last = (_flat(rows) for rows in (recording.obs, recording.last_obs))
    mean, std = flat.mean(0), flat.std(0)
    std = np.where(std > 1e-6, std, 1.0)
    network = _network(flat.shape[1], activation)
    inputs = torch.tensor((flat - mean) / std, dtype=torch.float32)
    ends = torch.tensor((last - mean) / std, dtype=torch.float32)
    values, centre, scale = np.zeros(len(last)), 0.0, 1.0
    targets = np.zeros(len(flat))
    for _ in range(PASSES):
        targets = returns_of(recording, values, gamma)
        centre, scale = float(targets.mean()), float(targets.std()) or 1.0
        _fit(network, inputs, torch.tensor((targets - centre) / scale, dtype=torch.float32), seed)
        with torch.no_grad():
            values = network(ends)[:, 0].numpy().astype(np.float64) * scale + centre
    with torch.no_grad():
        predicted = network(inputs)[:, 0].numpy().astype(np.float64) * scale + centre
    explained = 1 - float(np.var(targets - predicted) / (np.var(targets) or 1.0))
    return Critic(_in_raw_units(network, mean, std, centre, scale), explained)


def _flat(rows: Array) -> Array:
    return rows.reshape(len(rows), -1).astype(np.float64)


def _network(inputs: int, activation: str) -> nn.Sequential:
    from torch import nn

    layers: list[nn.Module] = []
    for size in SIZES:
        layers += [nn.Linear(inputs, size), getattr(nn, activation)()]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def _fit(network: nn.Sequential, inputs: Tensor, targets: Tensor, seed: int) -> None:
    import torch

    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        rows = torch.randint(len(inputs), (BATCH,), generator=generator)
        loss = ((network(inputs[rows])[:, 0] - targets[rows]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _in_raw_units(
    network: nn.Sequential,
    mean: Array,
    std: Array,
    centre: float,
    scale: float,
) -> list[tuple[Array, Array]]:
    """Returns the layers with the statistics of inputs and targets folded into first and last."""
    from torch import nn

    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    layers: list[tuple[Array, ...]] = [
        tuple(part.detach().numpy().astype(np.float64) for part in (layer.weight, layer.bias))
        for layer in linear
    ]
    weight, bias = layers[0]
    layers[0] = (weight / std, bias - weight @ (mean / std))
    weight, bias = layers[-1]
    layers[-1] = (weight * scale, bias * scale + centre)
    return [(weight, bias) for weight, bias in layers]
