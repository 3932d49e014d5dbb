"""The state of the dialogue with a person: pure, so it is tested without a screen or a clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from dagger_cli.core.types import Array
from dagger_cli.experts.human.controls import Controls
from dagger_cli.experts.human.given import Input
from dagger_cli.experts.human.keys import BACK, FASTER, PAUSE, SLOWER, STEP, STOP, TAKE

SPEEDS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)


class Outcome(Enum):
    """What a look at the keys leads to."""

    WAIT = "wait"
    ANSWER = "answer"
    BACK = "back"
    STOP = "stop"


@dataclass(frozen=True)
class Rules:
    """What does not change in a run.

    `stepwise`: every state waits for a key; else an answer is due after `1 / fps` seconds, divided
    by the speed. `gated`: the person takes over and gives back.
    """

    controls: Controls
    fps: float
    stepwise: bool
    gated: bool


@dataclass(frozen=True)
class Hands:
    """What the person holds: the current action, and the state of the commands."""

    action: Array
    taking: bool = False
    paused: bool = False
    speed: float = 1.0

    def at_rest(self, *, paused: bool) -> Hands:
        """Returns the hands before a round, and after steps were taken back."""
        return replace(self, taking=False, paused=paused)


def heard(rules: Rules, hands: Hands, given: Input, *, due: bool) -> tuple[Hands, Outcome]:
    """Returns the hands after new input and what follows; `due`: the time of this state is over.

    Commands count once per press: `given.pressed` must not repeat earlier ones.
    """
    if given.closed or STOP in given.pressed:
        return hands, Outcome.STOP
    if given.away:
        hands = replace(hands, paused=not rules.stepwise)
    if BACK in given.pressed:
        return hands, Outcome.BACK
    for key in given.pressed:
        hands = _commanded(rules, hands, key)
    if not _answers(rules, hands, given, due=due):
        return hands, Outcome.WAIT
    seconds = None if rules.stepwise else 1 / rules.fps
    return replace(hands, action=rules.controls.next(hands.action, given, seconds)), Outcome.ANSWER


def _answers(rules: Rules, hands: Hands, given: Input, *, due: bool) -> bool:
    if STEP in given.pressed:
        return True
    if not rules.stepwise:
        return due and not hands.paused
    acts = rules.controls.keys.intersection(given.pressed)
    return bool(acts) and (hands.taking or not rules.gated)


def _commanded(rules: Rules, hands: Hands, key: str) -> Hands:
    if key == PAUSE and not rules.stepwise:
        return replace(hands, paused=not hands.paused)
    if key == TAKE and rules.gated:
        return replace(hands, taking=not hands.taking)
    if key in (*FASTER, *SLOWER):
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - hands.speed))
        place = nearest + (1 if key in FASTER else -1)
        return replace(hands, speed=SPEEDS[min(max(place, 0), len(SPEEDS) - 1)])
    return hands
