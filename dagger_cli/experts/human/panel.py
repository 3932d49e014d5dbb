"""The lines of text beside a frame."""

from __future__ import annotations

from dataclasses import dataclass

from dagger_cli.core.types import Array
from dagger_cli.experts.human.session import Hands, Rules


@dataclass(frozen=True)
class Progress:
    """Where the run is: rounds and labels so far and in total, seconds and takeovers so far.

    `labels` are those of earlier rounds, `steps` the env steps of this one.
    """

    round: int = 0
    rounds: int = 1
    labels: int = 0
    total: int = 1
    steps: int = 0
    seconds: float = 0.0
    takeovers: int = 0


def panel(
    rules: Rules, hands: Hands, at: Progress, student: Array | None, back: float, note: str
) -> tuple[str, ...]:
    """Returns the lines; `student` is what the student would do, None before there is one."""
    count = f"round {at.round + 1} of {at.rounds}   labels {at.labels:,} of {at.total:,}"
    here = f"step {at.steps:,} of this round   {at.seconds:.0f} s of yours"
    return (
        count,
        here + (f"   takeovers {at.takeovers}" if rules.gated else ""),
        _who(rules, hands, student),
        f"you: {rules.controls.words(hands.action)}"
        + ("" if student is None else f"   student: {rules.controls.words(student)}"),
        note or _pace(rules, hands),
        f"keys: {rules.controls.help}",
        _commands(rules, back),
    )


def _who(rules: Rules, hands: Hands, student: Array | None) -> str:
    if student is None:
        return "You act."
    if not rules.gated:
        return "Your keys are the labels, also where the student acts."
    if hands.taking:
        return "You act (Enter gives back)."
    return "The student acts (Enter takes over)."


def _pace(rules: Rules, hands: Hands) -> str:
    if rules.stepwise:
        return "waiting for your key"
    return "PAUSED (p goes on)" if hands.paused else f"speed x{hands.speed:g}"


def _commands(rules: Rules, back: float) -> str:
    undo = f"backspace: take back {back:g} s"
    if rules.stepwise:
        return "n: answer with what is held   backspace: take back a step   esc: stop"
    return f"p: pause   n: one step   {undo}   + -: speed   esc: stop"
