"""Asks a person on a screen: shows a state until there is an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from dagger_cli.core.types import Array
from dagger_cli.experts.human.given import Input, Picture, Screen
from dagger_cli.experts.human.panel import Progress, panel
from dagger_cli.experts.human.record import Answer
from dagger_cli.experts.human.session import Hands, Outcome, Rules, heard

LOOKS = 0.01  # seconds between looks at the keys
DRAWS = 0.1  # seconds after which a state that waits is drawn again
NEVER = -1.0
ENDED = 0.7  # seconds for which the last frame of an episode is shown


class Asking:
    """The dialogue with a person on a screen, which `open_screen` opens at the first question."""

    def __init__(
        self, rules: Rules, back: float, open_screen: Callable[[], Screen], speed: float
    ) -> None:
        self.rules = rules
        self._back, self._open_screen = back, open_screen
        self._hands = Hands(rules.controls.rest, paused=True, speed=speed)
        self._screen: Screen | None = None
        self._note = ""
        self._student: Array | None = None  # what it would do in the last state
        self._answered_at = NEVER

    @property
    def steps_back(self) -> int:
        """Env steps that are taken back at once."""
        return 1 if self.rules.stepwise else max(1, round(self._back * self.rules.fps))

    def new_round(self) -> None:
        """Waits, before the next state, until the person goes on."""
        self._hands = self._hands.at_rest(paused=True)
        self._answered_at = NEVER

    def answer(
        self, state: int, frame: Array, at: Progress, student: Array | None, most: int
    ) -> Answer:
        """Asks about a state; `most` is how many steps can be taken back.

        Raises KeyboardInterrupt where the person stops.
        """
        # In the first round there is no student to take over from.
        rules = self.rules if student is not None else replace(self.rules, gated=False)
        self._student = student
        shown, drawn, so_far = self._opened(), NEVER, Input()
        last = time.monotonic()
        active = 0.0 if self._answered_at == NEVER else last - self._answered_at
        while True:
            now = time.monotonic()
            active, last = active + (0.0 if self._hands.paused else now - last), now
            if now - drawn > DRAWS:
                shown.show(Picture(frame, self._lines(rules, at, active, student)))
                drawn = now
            fresh = shown.look()
            so_far = fresh.after(so_far)
            given = replace(so_far, pressed=fresh.pressed)
            due = active >= self._period
            self._hands, outcome = heard(rules, self._hands, given, due=due)
            if outcome is Outcome.STOP:
                raise KeyboardInterrupt
            if outcome is Outcome.BACK and self._takes_back(most):
                return Answer(state, (), False, min(most, self.steps_back), round(active, 4))
            if outcome is Outcome.ANSWER:
                return self._answered(state, active)
            if fresh.pressed:
                drawn = NEVER
            time.sleep(LOOKS if self._hands.paused else min(LOOKS, self._period / 4))

    def ended(self, frame: Array, at: Progress) -> None:
        """Shows the last frame of an episode for a moment."""
        self._say(frame, at, "the episode has ended (backspace at the next one takes it back)")
        if not self.rules.stepwise:
            time.sleep(ENDED)
        self._answered_at = NEVER

    def waits(self, frame: Array, at: Progress) -> None:
        """Shows that the round is over, while the student is fitted."""
        self._say(frame, at, "the round is over: the student learns")

    def close(self) -> None:
        """Closes the screen; may be called twice."""
        if self._screen is not None:
            self._screen.close()
            self._screen = None

    def _say(self, frame: Array, at: Progress, note: str) -> None:
        lines = self._lines(self.rules, at, 0.0, self._student, note)
        self._opened().show(Picture(frame, lines))

    def _answered(self, state: int, active: float) -> Answer:
        self._note, self._answered_at = "", time.monotonic()
        action = tuple(float(part) for part in self._hands.action.reshape(-1))
        return Answer(state, action, self._hands.taking, 0, round(active, 4))

    def _takes_back(self, most: int) -> bool:
        """Returns whether steps can be taken back; the person then continues when ready."""
        if most == 0:
            self._note = "nothing of this round is left to take back"
            return False
        self._note, self._answered_at = "", NEVER
        self._hands = self._hands.at_rest(paused=not self.rules.stepwise)
        return True

    @property
    def _period(self) -> float:
        """Seconds for which a state is shown."""
        return 1 / (self.rules.fps * self._hands.speed)

    def _lines(
        self, rules: Rules, at: Progress, active: float, student: Array | None, note: str = ""
    ) -> tuple[str, ...]:
        at = replace(at, seconds=at.seconds + active)
        return panel(rules, self._hands, at, student, self._back, note or self._note)

    def _opened(self) -> Screen:
        if self._screen is None:
            self._screen = self._open_screen()
        return self._screen
