"""The person as an expert: its actions are the answers that the environment carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Acts, Array, Card, Observation, Policy, Space, Usage
from dagger_cli.experts.human.asking import Asking
from dagger_cli.experts.human.env import PersonEnv
from dagger_cli.experts.human.given import Screen
from dagger_cli.experts.human.keys import Table, controls_for
from dagger_cli.experts.human.session import Rules

RECORD = "answers.jsonl"  # in the run's folder, below human/
SLOW = 6.0  # frames a second below which pace=auto waits for a key


@dataclass(frozen=True)
class Settings:
    """How the person is asked; see conf/expert/human.yaml."""

    pace: str
    speed: float
    undo: float
    rate: float
    keys: Table | None


@dataclass
class Person:
    """Expert that is asked on a screen, in the one environment that it opens."""

    card: Card
    action_space: Space
    settings: Settings
    open_screen: Callable[[str], Screen]
    stays_because: ClassVar[str] = "a person is asked in the order of time, where the screen is"
    env: PersonEnv | None = field(default=None, init=False)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the answers, (n, *action_shape)."""
        rows, space = self._answers(observation), self.action_space
        actions = space.cast(rows[:, 1:].reshape(len(rows), *space.shape))
        return Acts(actions, np.ones(len(rows), bool))

    def in_charge(self, observation: Observation) -> Array:
        """Returns where the person has taken over, (n,) bool."""
        return np.asarray(self._answers(observation)[:, 0] > 0)

    def metrics(self, usage: Usage) -> dict[str, float]:
        """Returns labels, takeovers, steps taken back and seconds since the start of the run."""
        assert self.env is not None
        counts = self.env.counts
        return {
            "human/labels": float(usage.labels),
            "human/takeovers": float(counts.takeovers),
            "human/taken_back": float(counts.taken_back),
            "human/seconds": counts.seconds,
        }

    def opened(self, source: Any, budget: Budget, *, gated: bool) -> PersonEnv:
        """Opens the environment that asks the person; raises ConfigError where it has no picture.

        `gated`: the person takes over from the student and gives back.
        """
        if "rgb_array" not in source.render_modes or not hasattr(source, "open_shown"):
            raise ConfigError(
                f"expert=human shows pictures, which '{source.id}' does not render "
                "(render_mode=rgb_array): choose another environment, or another expert"
            )
        settings, played = self.settings, getattr(source, "play_keys", None)
        controls = controls_for(
            str(source.id), self.action_space, settings.keys, played, settings.rate
        )
        shown = source.open_shown()
        auto = settings.pace == "auto"
        stepwise = shown.fps < SLOW if auto else settings.pace == "step"
        rules = Rules(controls, float(shown.fps), stepwise, gated)
        asking = Asking(
            rules, settings.undo, lambda: self.open_screen(str(source.id)), settings.speed
        )
        self.env = PersonEnv(shown, asking, budget)
        return self.env

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user, once the environment is open."""
        assert self.env is not None
        return (
            *self.env.notes,
            "a person plays no test episodes: the final table has the student alone",
        )

    def keep(self, folder: Path) -> None:
        """Keeps the answers in a folder; those that are there are repeated first."""
        assert self.env is not None
        self.env.keep(folder / RECORD)

    def begin_round(self, round: int, usage: Usage, student: Policy | None) -> None:
        """Tells the person about the next round, and shows what `student` would do."""
        assert self.env is not None
        self.env.begin_round(round, usage, student)

    def _answers(self, observation: Observation) -> Array:
        rows = observation.privileged
        if rows is None or rows.shape[1:] != (1 + self.action_space.size,):
            raise ExpertError(
                "expert=human is asked during dagger train only: a person plays no test episodes"
            )
        return rows
