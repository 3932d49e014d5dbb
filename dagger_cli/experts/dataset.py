"""`expert=dataset`: labels that were recorded before; there is nobody to ask in new states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numpy.random import Generator

from dagger_cli.core.dataset import Dataset as Rows
from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Acts, Card, Expert, Observation, Space
from dagger_cli.data.fitting import dataset_of
from dagger_cli.data.read import digest_of, read_episodes


@dataclass(frozen=True)
class Dataset:
    """`path` of the data set: a file .npz, .parquet, or a folder of Minari, LeRobot, imitation."""

    path: str | None

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        if not self.path:
            raise ExpertError("expert=dataset needs a file or folder: expert.path=demos.npz")
        name = Path(self.path).name
        return RecordedExpert(self.path, Card(name, f"the data set {name}", digest_of(self.path)))


@dataclass(frozen=True)
class RecordedExpert:
    """Has labels in recorded states alone; `answers_at_once`: it cannot be asked in others."""

    path: str
    card: Card
    answers_at_once: bool = False

    def rows(self, observations: Space, actions: Space, env_id: str, view: str) -> Rows:
        """Returns all recorded steps; raises ConfigError where they do not fit spaces and view."""
        return dataset_of(read_episodes(self.path), observations, actions, env_id, view)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        raise ExpertError(
            f"{self.card.source} has no labels for new states: use trainer=sup, or another expert "
            f"with trainer.demonstrations={self.path}"
        )
