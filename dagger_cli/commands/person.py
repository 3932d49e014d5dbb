"""What `dagger train` does for a person as the expert: the record, and news of each round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dagger_cli.config.build import TrainJob
from dagger_cli.core.state import State
from dagger_cli.core.types import PersonExpert
from dagger_cli.loop.run import Observer, Round
from dagger_cli.tracking.answers import write_answers_config
from dagger_cli.tracking.run_paths import HUMAN


def keep_answers(job: TrainJob, folder: Path, config: str) -> None:
    """Keeps a person's answers in the run's folder, with the config that repeats them."""
    if isinstance(job.kit.expert, PersonExpert):
        write_answers_config(folder, config)
        job.kit.expert.keep(folder / HUMAN)


def round_teller(job: TrainJob, state: State) -> Iterator[Observer]:
    """Tells a person about the round after `state`; yields what does so after each round."""
    expert = job.kit.expert
    if not isinstance(expert, PersonExpert):
        return

    def tell(state: State) -> None:
        student = None if state.policy is None else job.trainer.deploy(state, job.kit)
        expert.begin_round(state.round, state.usage, student)

    def told(finished: Round) -> None:
        tell(finished.state)

    tell(state)
    yield told
