"""The environment of one slot in which a person is asked before each step.

Its observations carry the answer as privileged data, as those of experts with a memory do: so a
trainer finds the label of every visited state, also of those in which the student acted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Observation, Policy, Shown, Snapshot, Step, Usage
from dagger_cli.experts.human.asking import Asking
from dagger_cli.experts.human.panel import Progress
from dagger_cli.experts.human.record import Answer, Record, checksum

PLACE = "human.answers"  # in a snapshot: how many answers were used
REACH = 5  # how often in a row the last seconds can be taken back


@dataclass
class Counts:
    """What the person has done since the start of the run."""

    seconds: float = 0.0
    takeovers: int = 0
    taken_back: int = 0
    in_charge: bool = False

    def add(self, answer: Answer) -> None:
        """Counts an answer."""
        self.seconds += answer.seconds
        self.taken_back += answer.back
        if not answer.back:
            self.takeovers += answer.takes and not self.in_charge
            self.in_charge = answer.takes


class PersonEnv:
    """The slot of `shown`, with the person's answer to the current state as privileged data.

    The answer is a row of float64: whether the person is in charge, then the action's components.
    """

    def __init__(self, shown: Shown, asking: Asking, budget: Budget) -> None:
        inner = shown.env
        self.observation_space, self.action_space = inner.observation_space, inner.action_space
        self.n_envs, self.counts = 1, Counts()
        self._inner, self._frame, self._asking = inner, shown.frame, asking
        self._answer = np.zeros((1, 1 + inner.action_space.size))
        self._past: deque[Snapshot] = deque(maxlen=REACH * asking.steps_back)
        self._budget = budget
        self._progress = Progress(rounds=budget.rounds, total=budget.total)
        self._record: Record | None = None
        self._student: Policy | None = None
        self._taken = 0  # env steps of this round
        self._live = False  # whether the last answer was the person's, not the record's

    @property
    def observation(self) -> Observation:
        """The current observation, with the answer to it once the person was asked."""
        inner = self._inner.observation
        return replace(inner, privileged=self._answer)

    @property
    def notes(self) -> tuple[str, ...]:
        """How long it takes, and which keys there are."""
        rules, steps = self._asking.rules, self._progress.total
        minutes = steps / rules.fps / 60
        time = f"{steps:,} env steps" + (
            ", each of which waits for a key"
            if rules.stepwise
            else f" take about {max(1, round(minutes))} min at speed 1"
        )
        return (time, f"keys: {rules.controls.help}")

    def keep(self, path: Path) -> None:
        """Keeps the answers in a file; those that it has are repeated first."""
        self._record = Record(path)

    def begin_round(self, round: int, usage: Usage, student: Policy | None) -> None:
        """Tells the person about the next round, and shows what `student` would do.

        After the last round the screen is closed: the final scores need no person.
        """
        if round == self._budget.rounds:
            self._asking.close()
        self._progress = replace(self._progress, round=round, labels=usage.labels)
        self._student = student
        self._asking.new_round()

    def ask(self, most: int) -> int:
        """Asks about the current state; returns how many steps were taken back, at most `most`."""
        if most == 0:
            self._past.clear()  # steps of earlier rounds are already fitted on
        back = 0
        while (answer := self._answered(most - back)).back:
            back += self._go_back(answer.back, most - back)
        self._answer[0], self._taken = self._row(answer), most - back + 1
        self._past.append(self._inner.snapshot())
        return back

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a new episode, from `seeds` (1,)."""
        self._inner.reset(slots, seeds)

    def step(self, slots: Array, actions: Array) -> Step:
        """Takes a step."""
        step = self._inner.step(slots, actions)
        if self._live:
            at = self._at(self._taken)
            if step.ended[0]:
                self._asking.ended(self._frame(), at)
            if self._taken == self._budget.steps(at.round):
                self._asking.waits(self._frame(), at)
        return step

    def snapshot(self) -> Snapshot:
        """Returns the state of the environment, and the number of answers so far."""
        return {**self._inner.snapshot(), PLACE: np.array([self._recorded.place])}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it was not saved with a person's answers."""
        place = snapshot.get(PLACE)
        if place is None or place.shape != (1,) or place.dtype.kind != "i":
            raise EnvError("the saved state is not of a run with expert=human")
        self._inner.restore({key: value for key, value in snapshot.items() if key != PLACE})
        self._recorded.seek(int(place[0]))
        self.counts = Counts()
        for answer in self._recorded.used:
            self.counts.add(answer)

    def close(self) -> None:
        """Closes the environment, the screen and the record."""
        self._inner.close()
        self._asking.close()
        if self._record is not None:
            self._record.close()

    @property
    def _recorded(self) -> Record:
        assert self._record is not None, "a person's answers need a file"
        return self._record

    def _answered(self, most: int) -> Answer:
        """Returns the answer to the current state, from the record or from the person."""
        state = checksum(self._inner.observation.obs)
        answer = self._recorded.repeated(state)
        self._live = answer is None
        if answer is None:
            reach = min(most, len(self._past))
            answer = self._asking.answer(
                state, self._frame(), self._at(most), self._proposed(), reach
            )
            self._recorded.add(answer)
        self.counts.add(answer)
        return answer

    def _go_back(self, steps: int, most: int) -> int:
        if not 0 < steps <= min(most, len(self._past)):
            raise EnvError("the record of answers takes back steps that were not taken: altered")
        for _ in range(steps):
            snapshot = self._past.pop()
        self._inner.restore(snapshot)
        return steps

    def _row(self, answer: Answer) -> Array:
        """Returns an answer as a row; raises EnvError for what cannot be played: a file has it."""
        space = self.action_space
        row = np.array([answer.takes, *answer.action], np.float64)
        fits = len(answer.action) == space.size and bool(np.isfinite(row).all())
        if not fits or not space.contains(space.cast(row[1:].reshape(1, *space.shape))):
            raise EnvError(
                "the record of answers has an action that this environment lacks: the file was "
                "altered, or is of another environment"
            )
        return row

    def _at(self, steps: int) -> Progress:
        counts = self.counts
        return replace(
            self._progress, steps=steps, seconds=counts.seconds, takeovers=counts.takeovers
        )

    def _proposed(self) -> Array | None:
        """Returns what the student would do, with a random stream of its own."""
        if self._student is None:
            return None
        observation = self._inner.observation
        action: Array = self._student.act(observation, np.random.default_rng(0)).actions[0]
        return action
