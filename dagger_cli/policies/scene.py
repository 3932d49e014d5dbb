"""`policy=scene`: network for the compact observation of `env=mario`, a map and a list of sprites.

All sprites share one encoder, whose input also has the player's features; the codes are max-pooled
over the sprites (PointNet, Qi et al. 2017) and, with the rest of the observation, are the input of
fully connected layers. The result does not depend on the order of the sprites. uint8 features
(`measures`) are scaled by constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.chunk_head import with_chunk
from dagger_cli.policies.joint_head import Joint
from dagger_cli.policies.sources import use_threads
from dagger_cli.policies.torch_learner import TorchLearner

MIDDLE, UNIT = 128.0, 24.0  # offset and scale of a byte that encodes a position or a speed


@dataclass(frozen=True)
class Layout:
    """Layout of a flat observation.

    In order: `cells` binary features of the map; `flags` binary and `measures` uint8 features of
    the player; then `things` sprites of `thing_measures` uint8 and `thing_flags` binary features
    each. An entry whose flags are all zero is empty.
    """

    cells: int
    flags: int
    measures: int
    things: int
    thing_measures: int
    thing_flags: int

    @property
    def thing(self) -> int:
        """Number of features of a sprite."""
        return self.thing_measures + self.thing_flags

    @property
    def size(self) -> int:
        """Number of features of an observation."""
        return self.cells + self.flags + self.measures + self.things * self.thing

    def check(self, observations: Space) -> None:
        """Raises ConfigError where observations do not have this layout."""
        if min(self.things, self.thing_flags) < 1 or self.size != observations.size:
            raise ConfigError(
                f"policy=scene reads observations of {self.size} numbers (policy.layout), these "
                f"have {observations.size}; use policy=mlp, or env=mario env.observation=compact "
                "(if the observation changed since a checkpoint was written, train it again)"
            )


class Scene(nn.Module):
    """Network of `policy=scene`: encoder, max pooling, fully connected layers."""

    def __init__(self, layout: Layout, outputs: int, code: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.layout = layout
        self.player = layout.flags + layout.measures
        self.encoder = nn.Sequential(
            *(nn.Linear(layout.thing + self.player, code), nn.ReLU()),
            *(nn.Linear(code, code), nn.ReLU()),
        )
        layers: list[nn.Module] = []
        width = layout.cells + self.player + code
        for size in sizes:
            layers += [nn.Linear(width, size), nn.ReLU()]
            width = size
        self.last = nn.Linear(width, outputs)
        self.body = nn.Sequential(*layers)

    def forward(self, obs: Tensor) -> Tensor:
        """Maps observations (n, d) to outputs (n, outputs)."""
        own = self.layout
        numbers = obs.to(self.last.weight.dtype)
        measures_at, things_at = own.cells + own.flags, own.cells + self.player
        rest = torch.cat([numbers[:, :measures_at], _scaled(numbers[:, measures_at:things_at])], 1)
        things = numbers[:, things_at:].reshape(obs.shape[0], own.things, own.thing)
        places, kinds = things[..., : own.thing_measures], things[..., own.thing_measures :]
        player = rest[:, None, own.cells :].expand(-1, own.things, -1)
        codes = self.encoder(torch.cat([_scaled(places), kinds, player], 2))
        there = kinds.amax(2, keepdim=True) > 0
        seen = (codes * there).amax(1)
        return self.last(self.body(torch.cat([rest, seen], 1)))  # type: ignore[no-any-return]


def _scaled(measures: Tensor) -> Tensor:
    return (measures - MIDDLE) / UNIT


def scene_learner(
    observations: Space,
    actions: Space,
    *,
    layout: dict[str, int],
    code: int,
    sizes: Sequence[int],
    unsafe_penalty: float,
    threads: int | None,
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of `policy=scene`, with a `Joint` head; `fit` goes to `TorchLearner`.

    Raises ConfigError where the layout does not fit the observations or a value is invalid.
    """
    if min(code, *sizes, 1) < 1:
        raise ConfigError(
            f"policy.code and policy.sizes must be at least 1, got {code} and {list(sizes)}"
        )
    read = Layout(**layout)
    read.check(observations)
    use_threads(threads)
    head = with_chunk(Joint(actions, unsafe_penalty), chunk, chunk_decay)
    return TorchLearner(
        lambda: Scene(read, head.outputs, code, sizes), head, normalize=False, **fit
    )
