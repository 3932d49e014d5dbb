"""Measured regret of the online learning analysis (Ross, Gordon & Bagnell 2011, section 4).

Round i's loss l_i is over the states visited in that round. The online loss is l_i of the policy
before the fit on round i; the hindsight loss is the mean loss, over all rounds, of a policy fitted
on all rounds; the average regret is the mean online loss so far minus the hindsight loss. It tends
to 0 for a no-regret learner: while it falls, more rounds help. The remaining hindsight loss can
only be lowered by a richer policy.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy, distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Observation, Policy, Score

MOST_ROWS = 16_384  # evenly spaced rows of the aggregate, so that the cost does not grow with it
ONLINE, ONLINE_MEAN = "regret/online_loss", "regret/online_loss_mean"
HINDSIGHT, AVERAGE = "regret/hindsight_loss", "regret/average"
OWN_GAP, EXPERT_GAP, ONLINE_GAP = (f"disagreement/{on}" for on in ("own", "expert", "online"))
ABOUT = 0.01  # of the expert's return; not above validation.tolerance
LASTING = (ONLINE_MEAN, HINDSIGHT, AVERAGE, ONLINE_GAP)


def expected_loss(kit: Kit, policy: Policy, data: Dataset) -> float:
    """Returns the learner's loss of a policy; of a combined one, in expectation over members."""
    if isinstance(policy, Mixture):
        pairs = zip(policy.weights, policy.members, strict=True)
        return sum(w * kit.learner.loss(member, data) for w, member in pairs if w > 0)
    if isinstance(policy, Ensemble):
        return float(np.mean([kit.learner.loss(member, data) for member in policy.members]))
    if isinstance(policy, NonStationaryPolicy):
        slots = policy.slots(data.steps)
        parts = [(member, slots == i) for i, member in enumerate(policy.members)]
        losses = [here.sum() * kit.learner.loss(m, data[here]) for m, here in parts if here.any()]
        return float(sum(losses)) / len(data)
    return kit.learner.loss(policy, data)


def measure(kit: Kit, before: State, after: State, *, fits_on_aggregate: bool) -> dict[str, float]:
    """Returns the regret metrics after a round; empty after the first, which has no learner yet.

    A round without measurable rows repeats the last round's metrics, without an online loss.

    `fits_on_aggregate`: the latest policy is fitted on all rounds; otherwise one is fitted for this
    measurement alone, with a separate random stream.
    """
    data, policy = after.data, after.policy
    fresh = None if data is None else _costly(data.newest)
    if before.policy is None or data is None or policy is None or not fresh:
        # Without measurable rows the last measurement still holds.
        return {name: before.metrics[name] for name in LASTING if name in before.metrics}
    with kit.clock("regret"):
        fresh = resampled(fresh.thinned(MOST_ROWS), kit.rng.regret)
        online = expected_loss(kit, before.policy, fresh)
        acts = before.policy.act(Observation(fresh.obs, fresh.steps), kit.rng.regret)
        apart = float(distance(kit.env.action_space, acts.actions, fresh.labels).mean())
        _, *later = data.by_round()
        rounds = sum(len(_costly(rows)) > 0 for rows in later)  # rounds with measurable rows
        mean = before.metrics.get(ONLINE_MEAN, 0.0)
        mean += (online - mean) / rounds
        leader = policy if fits_on_aggregate else _leader(kit, data, policy)
        rows = resampled(data.thinned(MOST_ROWS), kit.rng.regret)
        hindsight = expected_loss(kit, leader, rows)
    return {
        ONLINE: online,
        ONLINE_MEAN: mean,
        HINDSIGHT: hindsight,
        AVERAGE: mean - hindsight,
        ONLINE_GAP: apart,
    }


def _costly(data: Dataset) -> Dataset:
    """Returns the rows of positive weight; the labels of the others are arbitrary."""
    return data if data.weights is None else data[data.weights > 0]


def _leader(kit: Kit, data: Dataset, policy: Policy) -> Policy:
    # Starts from the latest member: a fit from scratch would not compare with many rounds of fits.
    start = (
        policy.members[-1]
        if isinstance(policy, Mixture | NonStationaryPolicy | Ensemble)
        else policy
    )
    rows = resampled(data, kit.rng.regret)
    return kit.learner.fit(rows, start, kit.rng.regret).policy


def advice(metrics: Mapping[str, float], student: Score, expert: Score) -> str:
    """Returns a sentence on whether more rounds or a richer policy will help; may be empty."""
    if student.mean >= expert.mean - max(expert.stderr, ABOUT * abs(expert.mean)):
        return "the student matches the expert: more rounds will change little"
    if not {OWN_GAP, ONLINE_GAP, AVERAGE} <= metrics.keys():
        return ""
    own, online, loss = metrics[OWN_GAP], metrics[ONLINE_GAP], metrics[ONLINE_MEAN]
    share = metrics[AVERAGE] / loss if loss > 0 else 0.0
    differs = f"the student differs from the expert by {own:.1%} in its own states"
    if own < 0.01:
        return f"{differs}: more rounds will change little"
    if own > 2 * online:
        return (
            f"{differs}, but by {online:.1%} in the states it learns from: have its own states "
            "labelled, too (more rounds of trainer=dagger)"
        )
    if share > 0.2 and metrics.get(ONLINE, 0.0) <= 1.1 * loss:
        return f"the average regret is {share:.0%} of the online loss: more rounds will help"
    if share > 0.2:
        return (
            f"the average regret is {share:.0%} of the online loss and does not fall: longer fits "
            "(policy.gradient_steps) will help, or trainer=dagger where another is used"
        )
    return (
        f"{differs}, and the best policy in hindsight would too (regret is {max(share, 0):.0%} of "
        "the online loss): a richer policy will help, more rounds will not"
    )
