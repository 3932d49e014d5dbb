"""Measured regret of the online learning analysis (Ross, Gordon & Bagnell 2011, section 4).

Round i's loss l_i is over the states visited in that round. The online loss is l_i of the policy
before the fit on round i; the hindsight loss is the mean loss, over all rounds, of a policy fitted
on all rounds; the average regret is the mean online loss so far minus the hindsight loss. It tends
to 0 for a no-regret learner: while it falls, more rounds help. The remaining hindsight loss can
only be lowered by a longer fit or a richer policy.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy, distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.loop.irreducible import ROWS, irreducible

MOST_ROWS = 16_384  # evenly spaced rows of the aggregate, so that the cost does not grow with it
ONLINE, ONLINE_MEAN = "regret/online_loss", "regret/online_loss_mean"
HINDSIGHT, AVERAGE = "regret/hindsight_loss", "regret/average"
OWN_GAP, EXPERT_GAP, ONLINE_GAP = (f"disagreement/{on}" for on in ("own", "expert", "online"))
HIDDEN_GAP, HINDSIGHT_GAP = "disagreement/irreducible", "disagreement/hindsight"
LASTING = (ONLINE_MEAN, HINDSIGHT, AVERAGE, ONLINE_GAP, HIDDEN_GAP, HINDSIGHT_GAP)


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
    measurement alone, with a separate random stream. Where the students see less than the expert,
    what no student could learn is estimated, too (loop/irreducible.py).
    """
    data, policy = after.data, after.policy
    fresh = None if data is None else _costly(data.newest)
    if before.policy is None or data is None or policy is None or not fresh:
        # Without measurable rows the last measurement still holds.
        return {name: before.metrics[name] for name in LASTING if name in before.metrics}
    with kit.clock("regret"):
        fresh = resampled(fresh.thinned(MOST_ROWS), kit.rng.regret)
        online = expected_loss(kit, before.policy, fresh)
        acts = before.policy.act(fresh.observation, kit.rng.regret)
        apart = float(distance(kit.env.action_space, acts.actions, fresh.labels).mean())
        _, *later = data.by_round()
        rounds = sum(_measurable(rows) for rows in later)
        mean = before.metrics.get(ONLINE_MEAN, 0.0)
        mean += (online - mean) / rounds
        leader = policy if fits_on_aggregate else _leader(kit, data, policy)
        rows = resampled(data.thinned(MOST_ROWS), kit.rng.regret)
        hindsight = expected_loss(kit, leader, rows)
        hidden = _hidden(kit, _costly(data), leader) if kit.hides else {}
    return {
        **hidden,
        ONLINE: online,
        ONLINE_MEAN: mean,
        HINDSIGHT: hindsight,
        AVERAGE: mean - hindsight,
        ONLINE_GAP: apart,
    }


def _hidden(kit: Kit, data: Dataset, leader: Policy) -> dict[str, float]:
    """Returns what no student could learn, and how far the hindsight policy is from the labels."""
    actions = kit.env.action_space
    bound = irreducible(data, actions, kit.env.n_envs)
    if bound is None:
        return {}
    rows = data.thinned(ROWS)
    acts = leader.act(rows.observation, kit.rng.regret)
    apart = float(distance(actions, acts.actions, rows.labels).mean())
    return {HIDDEN_GAP: bound, HINDSIGHT_GAP: apart}


def _measurable(data: Dataset) -> bool:
    """Returns whether any row has a positive weight."""
    return len(data) > 0 if data.weights is None else bool((data.weights > 0).any())


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
