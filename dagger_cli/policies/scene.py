"""`policy=scene`: a network for a map and a list of things on it, as `env=mario` shows them.

Every thing goes through the same small network, together with what the player knows of himself;
the largest answer of each unit over all things (Qi et al. 2017, PointNet) goes through fully
connected layers with the rest of the observation. So what is learned of one enemy holds for all,
wherever it stands in the list. Bytes are scaled by fixed amounts; the layout says which they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.joint_head import Joint
from dagger_cli.policies.sources import use_threads
from dagger_cli.policies.torch_learner import TorchLearner

MIDDLE, UNIT = 128.0, 24.0  # of a byte that stands for a place or a speed


@dataclass(frozen=True)
class Layout:
    """How a flat observation is read, from its beginning.

    `cells` zeros and ones of the map; `flags` zeros and ones and `measures` bytes of the player
    himself; then `things` of `thing_measures` bytes and `thing_flags` zeros and ones each. A thing
    whose flags are all zero is not there.
    """

    cells: int
    flags: int
    measures: int
    things: int
    thing_measures: int
    thing_flags: int

    @property
    def thing(self) -> int:
        """The numbers of a thing."""
        return self.thing_measures + self.thing_flags

    @property
    def size(self) -> int:
        """The numbers of an observation."""
        return self.cells + self.flags + self.measures + self.things * self.thing

    def check(self, observations: Space) -> None:
        """Raises ConfigError where observations are not of this layout."""
        if min(self.things, self.thing_flags) < 1 or self.size != observations.size:
            raise ConfigError(
                f"policy=scene reads observations of {self.size} numbers (policy.layout), these "
                f"have {observations.size}; use policy=mlp, or env=mario env.observation=compact "
                "(a checkpoint from before an observation changed must be trained anew)"
            )


class Scene(nn.Module):
    """See the module's docstring."""

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
        """(n, d) observations to (n, outputs)."""
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
    **fit: Any,
) -> TorchLearner:
    """The learner of `policy=scene`; `unsafe_penalty` goes to its head, `fit` to `TorchLearner`."""
    if min(code, *sizes, 1) < 1:
        raise ConfigError(
            f"policy.code and policy.sizes must be at least 1, got {code} and {list(sizes)}"
        )
    read = Layout(**layout)
    read.check(observations)
    use_threads(threads)
    head = Joint(actions, unsafe_penalty)
    return TorchLearner(
        lambda: Scene(read, head.outputs, code, sizes), head, normalize=False, **fit
    )
