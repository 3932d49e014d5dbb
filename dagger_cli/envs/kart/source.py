"""`env=kart`: creates environments from the config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.random import Generator

from dagger_cli.core.types import Policy, Score, Shown, Space
from dagger_cli.core.values import at_least
from dagger_cli.envs.kart.driving import DT
from dagger_cli.envs.kart.env import KartEnv, Rules
from dagger_cli.envs.video import Mode


@dataclass(frozen=True)
class KartSource:
    """Source of environments; an episode's seed gives its start and its noise."""

    id: str
    rules: Rules
    render_modes: ClassVar[tuple[str, ...]] = ("rgb_array", "human")
    fps: ClassVar[int] = round(1 / DT)
    repeats: ClassVar[bool] = True  # the same episode for the same seed
    highest_return: ClassVar[float] = 0.0  # no fall; with throttle not reached
    most_slots: ClassVar[int] = 128  # in an evaluation: a slot is a few numbers and an image

    @property
    def observation_space(self) -> Space:
        """Images (rows, columns, 3), see `env.VIEWS`."""
        return self.rules.view.space

    @property
    def action_space(self) -> Space:
        """See `Rules.action_space`."""
        return self.rules.action_space

    @property
    def horizon(self) -> int:
        """Steps after which an unfinished lap is truncated."""
        return self.rules.max_steps

    def open(self, n_envs: int) -> KartEnv:
        """Opens `n_envs` karts, in this process and thread."""
        at_least("n_envs", n_envs, 1)
        return KartEnv(self.rules, n_envs)

    def open_shown(self) -> Shown:
        """Opens one kart that is drawn, seen from behind, more coarsely than in a video."""
        from dagger_cli.envs.kart.picture import picture

        env = self.open(1)
        return Shown(env, lambda: picture(env, quick=True), self.fps)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one lap per seed, in a window or to a video file."""
        from dagger_cli.envs.kart.show import play

        return play(self, policy, seeds, rng, mode)


def kart(
    *,
    id: str,
    track: int,
    throttle: bool,
    observation: str,
    noise: float,
    max_steps: int,
    failure: Any,
) -> KartSource:
    """Creates the source of `env=kart`; raises ConfigError for invalid values."""
    return KartSource(id, Rules(track, throttle, observation, noise, max_steps, failure))
