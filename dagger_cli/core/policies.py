"""How policies combine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Policy, View


@dataclass(frozen=True)
class Mixture:
    """For every row, at every step, one member is drawn anew; the weights sum to 1."""

    members: tuple[Policy, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        assert len(self.members) == len(self.weights) and min(self.weights) >= 0
        assert abs(sum(self.weights) - 1) < 1e-9, self.weights

    def act(self, view: View, rng: Generator) -> Acts:
        """Answer every row with the member drawn for it; each member sees only its own rows."""
        inner_edges = np.cumsum(self.weights)[:-1]
        drawn = np.searchsorted(inner_edges, rng.random(len(view)), side="right")
        chosen = [int(member) for member in np.unique(drawn)]
        if len(chosen) == 1:
            return self.members[chosen[0]].act(view, rng)
        rows = [np.flatnonzero(drawn == member) for member in chosen]
        parts = [self.members[m].act(view[r], rng) for m, r in zip(chosen, rows, strict=True)]
        back = np.argsort(np.concatenate(rows), kind="stable")
        actions = np.concatenate([part.actions for part in parts])[back]
        return Acts(actions, np.concatenate([part.asked for part in parts])[back])
