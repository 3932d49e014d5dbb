"""The last line of a run: what its figures show, and what may help. It promises nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.types import Score
from dagger_cli.loop.regret import (
    AVERAGE,
    HIDDEN_GAP,
    HINDSIGHT_GAP,
    ONLINE,
    ONLINE_GAP,
    ONLINE_MEAN,
    OWN_GAP,
)

ABOUT = 0.01  # of the expert's return; not above validation.tolerance
CLEAR = 3  # standard errors of the paired difference, for a student above its expert
FEW = 5  # episodes below which a student is not said to be above its expert
LARGE = 0.4  # part of the disagreement; the bound of irreducible.py is half of it or more
MOST = 0.6  # of a round's labels
NOTICED = 0.03  # what its estimate may be off in many dimensions
SAME = 0.01  # disagreement below which two policies are said to act alike


def advice(
    metrics: Mapping[str, float],
    student: Score,
    expert: Score,
    *,
    horizon: int | None = None,
    highest: float | None = None,
    new_labels: int | None = None,
    early: float | None = None,
    slower: str = "trainer.roll_in=uniform",
    longer_fit: str = "a longer fit",
    own_states: str = "have its own states labelled, too (trainer=dagger)",
    past: str = "view.stack=8, policy=gru",
) -> str:
    """Returns one sentence on the final scores and the metrics of the student's round; or nothing.

    `horizon` is the step limit of an episode, `highest` the return that none exceeds, where it is
    known, `new_labels` how many labels the last round added, `early` the share of them in the first
    tenth of an expert's episode, where the trainer can let the expert act for longer, `slower` the
    keys by which it does, `longer_fit` those that lengthen a fit, `past` those that show more of
    the past, and `own_states` how more of the learner's states are labelled. Both scores are over
    the same seeds.
    """
    above = _above(student, expert)
    if above is not None:
        return (
            f"the student scores above the expert ({above}) by acting differently"
            f"{_own(metrics)}: the score is no measure of imitation here; best=agreement chooses "
            "the round that acts most like the expert"
        )
    if student.mean >= expert.mean - max(expert.stderr, ABOUT * abs(expert.mean)):
        warning = "" if expert.mean == highest else _at_the_floor(expert, horizon)
        return warning or (
            "the student matches the expert: their scores differ by no more than chance or 1%"
        )
    if new_labels == 0:
        return (
            "the last round added no labels, so further rounds like it would change little: "
            "use trainer=dagger, or more labels in fewer rounds"
        )
    if early is not None and early > MOST:
        return (
            f"{early:.0%} of the last round's labels are in the first tenth of an expert's "
            f"episode, where the learner's end: let the expert act for longer ({slower})"
        )
    if not {OWN_GAP, ONLINE_GAP, ONLINE_MEAN, AVERAGE} <= metrics.keys():
        return ""
    return _from_disagreement(metrics, longer_fit, own_states, past)


def _from_disagreement(
    metrics: Mapping[str, float], longer_fit: str, own_states: str, past: str
) -> str:
    own, online, loss = metrics[OWN_GAP], metrics[ONLINE_GAP], metrics[ONLINE_MEAN]
    share = metrics[AVERAGE] / loss if loss > 0 else 0.0
    differs = f"the student differs from the expert by {own:.1%} in its own states"
    if own < SAME:
        return (
            f"{differs} of the validation episodes, yet scores less in the final ones: a few "
            "states decide, or the final episodes are unlike those it learned from"
        )
    hidden, hindsight = metrics.get(HIDDEN_GAP, 0.0), metrics.get(HINDSIGHT_GAP, 0.0)
    if hidden > max(LARGE * hindsight, NOTICED):
        # The estimate may be too high, and the student may know its data by heart.
        part = f"{hidden:.1%} or more is" if hidden < hindsight else "all may be"
        return (
            f"{differs}; of the {hindsight:.1%} in all states so far, {part} hidden by its view "
            f"(like observations have different labels): more of the past ({past}) or another view "
            "may help"
        )
    if own > 2 * online:
        return f"{differs}, but by {online:.1%} in the states it learns from: {own_states}"
    if share > 0.2 and metrics.get(ONLINE, 0.0) <= 1.1 * loss:
        return f"the average regret is {share:.0%} of the online loss: more rounds may help"
    if share > 0.2:
        return (
            f"the average regret is {share:.0%} of the online loss and does not fall: {longer_fit} "
            "may help, or trainer=dagger where another is used"
        )
    return (
        f"{differs}, and the best policy in hindsight would too (regret is {max(share, 0):.0%} of "
        f"the online loss): {longer_fit} or a richer policy may help"
    )


def _above(student: Score, expert: Score) -> str | None:
    """Returns how far the student is above the expert, None where that may be chance."""
    n = len(student.returns)
    if n < FEW or n != len(expert.returns):
        return None
    gains = student.returns - expert.returns
    mean, stderr = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(n))
    if mean <= max(CLEAR * stderr, ABOUT * abs(expert.mean)):
        return None
    return f"by {mean:,.1f}, standard error {stderr:,.1f}"


def _own(metrics: Mapping[str, float]) -> str:
    return f" in {metrics[OWN_GAP]:.1%} of its own states" if OWN_GAP in metrics else ""


def _at_the_floor(expert: Score, horizon: int | None) -> str:
    """Returns a warning where an expert gains nothing in any episode, else an empty text."""
    mean, to_the_end = expert.mean, horizon is not None and (expert.lengths == horizon).all()
    if mean > 0 or np.ptp(expert.returns) > 0 or not (to_the_end or mean == 0):
        return ""
    return (
        f"student and expert both return {mean:,.1f} in every episode, which may be the least this "
        "environment gives: check the expert (dagger expert score) before you trust the student"
    )
