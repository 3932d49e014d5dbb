"""`expert=file`: people or programs that label the states of a round after the run has paused.

The run writes the states to its folder and ends; `dagger answer` takes answers, and a resumed run
rolls out the same states again and finds their labels in the files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, Paused
from dagger_cli.core.schedules import Progress
from dagger_cli.core.types import Acts, Array, Card, Labels, Observation, Space
from dagger_cli.core.values import in_range
from dagger_cli.data.answers import all_answers, combined
from dagger_cli.data.questions import (
    STATES,
    Questions,
    digests_of,
    folder_of,
    read_questions,
    write_questions,
)

NAME = "answers in files"


@dataclass(frozen=True)
class File:
    """`least` in (0, 1]: the share of a round's states that needs an answer before it goes on."""

    least: float

    def __post_init__(self) -> None:
        in_range("expert.least", self.least, "(0, 1]", 0.9)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> FileExpert:
        card = Card(NAME, "file", hashlib.sha256(NAME.encode()).hexdigest(), code=True)
        return FileExpert(card, action_space, self.least)


@dataclass(frozen=True)
class FileExpert:
    """Has no answers at once; as a policy it acts at random. `folder` is that of the questions."""

    card: Card
    action_space: Space
    least: float
    folder: Path | None = None
    answers_at_once: bool = False

    def in_folder(self, folder: Path) -> FileExpert:
        """Returns the expert of a run, with its folder for questions and answers."""
        return replace(self, folder=folder)

    def check_trainer(self, trainer: Any, rounds: int) -> None:
        """Raises ConfigError for a trainer that needs the expert to act or to answer at once."""
        beta: Any = getattr(trainer, "beta", None)
        simple = callable(beta) and not getattr(trainer, "needs_state_restore", False)
        if not simple or getattr(trainer, "roll_in", None) != "none":
            raise ConfigError(
                f"expert=file cannot act, which trainer {type(trainer).__name__} with these "
                "settings needs: use trainer=dagger trainer.roll_in=none"
            )
        first = 0 if getattr(trainer, "demonstrations", None) is None else 1
        for round in range(first, rounds):
            share = beta(Progress(round, rounds, round / rounds))
            if share > 0:
                raise ConfigError(
                    f"expert=file cannot act, but beta is {share:g} in round {round + 1}: add "
                    "beta=constant beta.value=0"
                )

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts at random: before the first labels there is no policy."""
        n = len(observation)
        return Acts(_random(self.action_space, n, rng), np.zeros(n, bool))

    def labels(self, round: int, observation: Observation) -> Labels:
        """Returns the labels of a round (from 0); raises Paused while there are too few."""
        assert self.folder is not None
        folder = folder_of(self.folder, round + 1)
        if not (folder / STATES).exists():
            questions = write_questions(folder, observation, self.action_space)
        else:
            questions = read_questions(folder)
            _check_same(questions, observation)
        labels, known = combined(questions, all_answers(questions))
        if known.mean() < self.least:
            raise Paused(
                f"round {round + 1} waits for labels: {known.sum():,} of {len(known):,} states "
                "are answered"
            )
        return Labels(labels, known)


def _check_same(questions: Questions, observation: Observation) -> None:
    if not np.array_equal(questions.states, digests_of(observation)):
        raise ConfigError(
            f"the states of round {questions.round} are other ones than those in "
            f"{questions.folder}: the environment or a library has changed since; to ask anew, "
            "move that folder away"
        )


def _random(space: Space, n: int, rng: Generator) -> Array:
    """Returns uniform actions (n, *shape), standard normal ones where a box is open."""
    if space.kind != "box":
        whole = rng.integers(0, np.asarray(space.sizes), (n, len(space.sizes))) + space.start
        return whole.reshape(n, *space.shape).astype(space.dtype)
    bounded, centre, half = space.centre_and_half()
    uniform = centre + half * rng.uniform(-1, 1, (n, space.size))
    drawn = np.where(bounded, uniform, rng.standard_normal((n, space.size)))
    return space.cast(np.clip(drawn, space.low, space.high)).reshape(n, *space.shape)
