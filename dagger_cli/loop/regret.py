"""What the theory says should shrink, measured (Ross, Gordon & Bagnell 2011, section 4).

Round i's loss l_i is over the states that round visited. The online loss is l_i of the policy that
went into the round, before anything is fitted on it; the hindsight loss is what a policy fitted on
all rounds loses on average over them; the average regret is the mean online loss so far minus that.
It goes to 0 with a no-regret learner: where it still falls, more rounds help. What is left then,
the hindsight loss, only a richer policy can lower.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy, distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Observation, Policy, Score

MOST_ROWS = 16_384  # of the aggregate, evenly spaced: the cost of measuring must not grow with it
ONLINE, ONLINE_MEAN = "regret/online_loss", "regret/online_loss_mean"
HINDSIGHT, AVERAGE = "regret/hindsight_loss", "regret/average"
OWN_GAP, EXPERT_GAP, ONLINE_GAP = (f"disagreement/{on}" for on in ("own", "expert", "online"))
ABOUT = 0.01  # of the expert's return: no more than what validation.tolerance calls as good
LASTING = (ONLINE_MEAN, HINDSIGHT, AVERAGE, ONLINE_GAP)


def expected_loss(kit: Kit, policy: Policy, data: Dataset) -> float:
    """The learner's loss of a policy, combined ones in expectation over their members."""
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
    """The regret's parts after a round; empty after the first, into which no learner went.

    A round that brought nothing to measure on has the last one's figures, without an online loss.

    `fits_on_aggregate` says that the newest policy is fitted on all rounds; otherwise one is fitted
    for this measurement alone, from a random stream of its own.
    """
    data, policy = after.data, after.policy
    fresh = None if data is None else _costly(data.newest)
    if before.policy is None or data is None or policy is None or not fresh:
        # Nothing to measure on: what was measured last still holds.
        return {name: before.metrics[name] for name in LASTING if name in before.metrics}
    with kit.clock("regret"):
        fresh = resampled(fresh.thinned(MOST_ROWS), kit.rng.regret)
        online = expected_loss(kit, before.policy, fresh)
        acts = before.policy.act(Observation(fresh.obs, fresh.steps), kit.rng.regret)
        apart = float(distance(kit.env.action_space, acts.actions, fresh.labels).mean())
        _, *later = data.by_round()
        rounds = sum(len(_costly(rows)) > 0 for rows in later)  # that could be measured
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
    """The rows in which a mistake costs anything; the others' labels mean nothing."""
    return data if data.weights is None else data[data.weights > 0]


def _leader(kit: Kit, data: Dataset, policy: Policy) -> Policy:
    # From the newest member, or a single fit would be compared with what many fits have learned.
    start = (
        policy.members[-1]
        if isinstance(policy, Mixture | NonStationaryPolicy | Ensemble)
        else policy
    )
    rows = resampled(data, kit.rng.regret)
    return kit.learner.fit(rows, start, kit.rng.regret).policy


def advice(metrics: Mapping[str, float], student: Score, expert: Score) -> str:
    """One sentence: will more rounds help, or is a richer policy needed? Empty without figures."""
    if student.mean >= expert.mean - max(expert.stderr, ABOUT * abs(expert.mean)):
        return "the student scores what the expert does: more rounds will change little"
    if not {OWN_GAP, ONLINE_GAP, AVERAGE} <= metrics.keys():
        return ""
    own, online, loss = metrics[OWN_GAP], metrics[ONLINE_GAP], metrics[ONLINE_MEAN]
    share = metrics[AVERAGE] / loss if loss > 0 else 0.0
    differs = f"the student differs from the expert by {own:.1%} in its own states"
    if own < 0.01:
        return f"{differs}: more rounds will change little"
    if own > 2 * online:
        return (
            f"{differs}, but by {online:.1%} in those it learns from: "
            "have the expert answer in its own, too (more rounds of trainer=dagger)"
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
