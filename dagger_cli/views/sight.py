"""What the expert sees of a viewed environment: the full observation, carried as privileged data.

It is one array with a row per observation, so rollouts copy, index and concatenate it as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, SafetyExpert

OBS, PRIVILEGED = "obs", "privileged"


def packed(full: Observation) -> Array:
    """Returns the full observation as one array; with privileged data, of two fields a row."""
    if full.privileged is None:
        return full.obs
    dtype = [(OBS, full.obs.dtype, full.obs.shape[1:])]
    dtype += [(PRIVILEGED, full.privileged.dtype, full.privileged.shape[1:])]
    rows = np.empty(len(full), dtype)
    rows[OBS], rows[PRIVILEGED] = full.obs, full.privileged
    return rows


def unpacked(seen: Observation) -> Observation:
    """Inverts `packed`."""
    rows = seen.privileged
    assert rows is not None, "an observation of a viewed environment carries the full one"
    if rows.dtype.names is None:
        return Observation(rows, seen.t)
    return Observation(rows[OBS], seen.t, rows[PRIVILEGED])


@dataclass(frozen=True)
class FullSight:
    """Expert for students with a view; it is asked with the full observations."""

    expert: Any

    @property
    def card(self) -> Card:
        """Card of the expert."""
        card: Card = self.expert.card
        return card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the expert's actions in the full observations."""
        acts: Acts = self.expert.act(unpacked(observation), rng)
        return acts


@dataclass(frozen=True)
class FullSightSafety:
    """The same for an expert that also knows which actions are unsafe."""

    sight: FullSight
    expert: SafetyExpert

    @property
    def card(self) -> Card:
        """Card of the expert."""
        return self.sight.card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the expert's actions in the full observations."""
        return self.sight.act(observation, rng)

    def unsafe_actions(self, observation: Observation) -> Array:
        """Returns the unsafe actions in the full observations."""
        return self.expert.unsafe_actions(unpacked(observation))


def with_full_sight(expert: Expert) -> Expert:
    """Returns the expert for a viewed environment."""
    sight = FullSight(expert)
    return FullSightSafety(sight, expert) if isinstance(expert, SafetyExpert) else sight
