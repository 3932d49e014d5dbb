"""The same environments as Gymnasium environments, registered when this module is imported.

    import gymnasium, dagger_cli.envs.sequences.gym_env
    env = gymnasium.make("dagger_cli/Handwriting-v0", data="synthetic", fold=0, history=1)
    env = gymnasium.make("dagger_cli/Sequence-v0", data="file.jsonl")

`reset(seed=s)` starts the sequence of seed s: a test sequence for s below 1,000,000, see
`source.Seeds`. `reset()` continues with the following training sequences. `info["label"]` is
the true label of the current token.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Array
from dagger_cli.envs.handwriting.source import handwriting
from dagger_cli.envs.sequences.jsonl import sequence
from dagger_cli.envs.sequences.source import SequenceSource

SLOT = np.zeros(1, np.int64)


class LabelSequence(gymnasium.Env):  # type: ignore[misc]  # untyped where mypy runs
    """One slot of a `SequenceEnv`."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, source: SequenceSource) -> None:
        self._env = source.open(1)
        self._next = TRAIN_SEEDS.start
        seen = source.observation_space
        low, high = (np.array(bound, seen.dtype) for bound in (seen.low, seen.high))
        self.observation_space = spaces.Box(low, high, seen.shape, np.dtype(seen.dtype).type)
        self.action_space = spaces.Discrete(source.action_space.sizes[0])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None:
            seed, self._next = self._next, self._next + 1
        else:
            self._next = TRAIN_SEEDS.start + seed % len(TRAIN_SEEDS)
        self._env.reset(SLOT, np.array([seed]))
        return self._shown()

    def step(self, action: np.int64) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        step = self._env.step(SLOT, np.array([action]))
        obs, info = self._shown()
        return obs, float(step.rewards[0]), bool(step.terminated[0]), False, info

    def _shown(self) -> tuple[Array, dict[str, Any]]:
        observation = self._env.observation
        assert observation.privileged is not None
        return observation.obs[0].copy(), {"label": int(observation.privileged[0])}


def make_handwriting(
    data: str | None = None,
    fold: int = 0,
    held_out: int = 0,
    history: int = 1,
    before: int = 0,
    after: int = 0,
) -> LabelSequence:
    """Creates the environment; see `handwriting` and conf/env/handwriting.yaml."""
    name = "dagger_cli/Handwriting-v0"
    split: dict[str, Any] = {
        "data": data,
        "fold": fold,
        "held_out": held_out,
        "validate_on_test": False,
    }
    made = handwriting(id=name, **split, history=history, before=before, after=after)
    return LabelSequence(made)


def make_sequence(
    data: str,
    fold: int = 0,
    held_out: int = 0,
    history: int = 1,
    before: int = 0,
    after: int = 0,
) -> LabelSequence:
    """Creates the environment; see `sequence` and conf/env/sequence.yaml."""
    name = "dagger_cli/Sequence-v0"
    split: dict[str, Any] = {
        "data": data,
        "fold": fold,
        "held_out": held_out,
        "validate_on_test": False,
    }
    made = sequence(id=name, **split, history=history, before=before, after=after)
    return LabelSequence(made)


gymnasium.register("dagger_cli/Handwriting-v0", entry_point=make_handwriting)
gymnasium.register("dagger_cli/Sequence-v0", entry_point=make_sequence)
