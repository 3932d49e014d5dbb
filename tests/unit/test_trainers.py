"""Results of each trainer on a toy problem small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.schedules import Constant, Indicator, Linear
from dagger_cli.core.state import State
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import Best, run
from dagger_cli.loop.validate import Validated, Validation
from dagger_cli.trainers.dagger import DAgger
from dagger_cli.trainers.safe_dagger import SafeDAgger
from dagger_cli.trainers.sup import Sup
from tests.toys import TableExpert, TableLearner, TrackEnv, toy_kit

SEEDS = range(0, 25, 5)  # episodes of full length


def validate(policy):
    return evaluate(TrackEnv(5), policy, SEEDS, np.random.default_rng(0))


def validation():
    return Validation(TrackEnv(5), TableExpert(), SEEDS, seed=0, queries=50)


def trained(trainer, *, rounds=5, seed=0):
    kit = toy_kit(rounds, seed=seed)
    begin(kit)
    state, best = run(trainer, kit, trainer.start(kit), None, validation(), 0.0, ())
    return state, best, kit


def dagger(beta, mix_per="step", fit="aggregate"):
    return DAgger(beta, mix_per, fit)


class Polishing(TableLearner):
    """Notes which fits were told to be the last."""

    def __init__(self, noted: list[str], name: str = "usual") -> None:
        self.noted, self.name = noted, name

    def for_final_fit(self) -> "Polishing":
        return Polishing(self.noted, "last")

    def fit(self, data, start, rng):
        self.noted.append(self.name)
        return super().fit(data, start, rng)


@pytest.mark.parametrize("trainer", [Sup(), dagger(Indicator("round")), SafeDAgger(0.05)])
def test_the_last_fit_on_all_rounds_is_the_last(trainer):
    noted: list[str] = []
    kit = replace(toy_kit(4), learner=Polishing(noted))
    begin(kit)
    run(trainer, kit, trainer.start(kit), None, None, 0.0, ())
    assert noted[-4:] == ["usual", "usual", "usual", "last"]


def same(a: State, b: State) -> bool:
    columns = zip(a.data.columns.values(), b.data.columns.values(), strict=True)
    return a.policy == b.policy and all(np.array_equal(x, y) for x, y in columns)


def test_sup_never_learns_to_come_back_and_dagger_does():
    """Sup is off the track from step 3 to the end: 47 of 50. DAgger is off one step in seven."""
    sup, _, _ = trained(Sup())
    learned, _, _ = trained(dagger(Indicator("round")))
    assert sup.policy.answers == (0, 0, 0, 0, 0)
    assert learned.policy.answers[:2] == (0, 1)
    assert validate(sup.policy).mean == -47
    # Off at step 3 and back; every unseen seventh step costs one more: 3, 10, ..., 45.
    assert validate(learned.policy).mean == pytest.approx(-7)


def test_dagger_with_beta_one_is_sup_exactly():
    aggregated, _, kit_a = trained(dagger(Constant(1.0)))
    sup, _, kit_b = trained(Sup())
    assert same(aggregated, sup)
    assert aggregated.usage == sup.usage
    assert kit_a.rng.save() == kit_b.rng.save()


def test_every_step_is_labelled_and_counted():
    state, _, kit = trained(dagger(Linear(1.0, 0.0, 5, "round")))
    assert state.usage == (5 * 103, 5 * 103) == (len(state.data), sum(kit.expert.asked))
    assert state.data.rounds == (103,) * 5


@pytest.mark.parametrize("trainer", [Sup(), dagger(Linear(1.0, 0.0, 6, "round"))])
def test_resuming_is_passing_an_old_state_in(trainer):
    whole, whole_best, _ = trained(trainer, rounds=6)
    half, best, kit = trained(trainer, rounds=3)
    longer = toy_kit(6)
    longer.env.restore(kit.env.snapshot())
    longer.rng.load(kit.rng.save())
    state, best = run(trainer, longer, half, best, validation(), 0.0, ())
    assert same(state, whole) and best == whole_best


def test_facts_name_beta_and_loss():
    state, _, _ = trained(dagger(Linear(1.0, 0.0, 5, "round")))
    assert state.metrics["train/beta"] == pytest.approx(0.2)
    assert 0 < state.metrics["train/loss"] < 1


def test_the_best_round_is_the_highest_and_the_later_of_equals():
    scores = iter([3.0, 5.0, 5.0, 4.0, 1.0])

    class Fixed:
        def __init__(self, mean):
            self.mean = mean

    kit, seen = toy_kit(5), []
    begin(kit)
    trainer = Sup()
    _, best = run(
        trainer,
        kit,
        State(),
        None,
        lambda p: Validated(Fixed(next(scores)), {}),
        0.0,
        (seen.append,),
    )
    assert best == Best(3, 5.0, 5.0)
    assert [finished.best.round for finished in seen] == [1, 2, 3, 3, 3]
    assert [finished.state.round for finished in seen] == [1, 2, 3, 4, 5]
    assert set(seen[0].seconds) == {"collect", "fit", "validate"}
    assert set(seen[1].seconds) == {"collect", "fit", "regret", "validate"}


def test_with_a_tolerance_the_latest_of_about_equals_is_best():
    means = [303.8, 302.0, 250.0, 301.2, 299.0]
    best = None
    rounds = []
    for round, mean in enumerate(means, 1):
        best = Best.after(best, round, mean, 0.01)
        rounds.append(best.round)
    # 1 % of 303.8 is 3.04: rounds 2 and 4 are as good, rounds 3 and 5 (by 1.8) are not.
    assert rounds == [1, 2, 2, 4, 4]
    assert best == Best(4, 301.2, 303.8)
