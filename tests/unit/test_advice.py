"""The last line of a run says what its figures show, and no more."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from dagger_cli.commands.train_report import _fitting_words
from dagger_cli.core.types import Score
from dagger_cli.loop.advice import advice


def scored(*returns):
    n = len(returns)
    return Score(np.arange(n), np.array(returns, float), np.ones(n, np.int64), np.zeros(n, bool))


POOR, GOOD = scored(10, 12), scored(99.5, 100.5)


def metrics(own, online, average, mean=0.5):
    return {
        "disagreement/own": own,
        "disagreement/online": online,
        "regret/average": average,
        "regret/online_loss_mean": mean,
    }


def hidden(part):
    beside = {"disagreement/irreducible": part, "disagreement/hindsight": 0.3}
    return {**metrics(0.3, 0.2, 0.4), **beside}


def falling(newest):
    return {**metrics(0.3, 0.2, 0.4), "regret/online_loss": newest}


@pytest.mark.parametrize(
    ("values", "student", "words"),
    [
        (metrics(0.5, 0.5, 0.4), GOOD, "matches the expert: their scores differ by no more than"),
        (metrics(0.5, 0.5, 0.4), scored(98.9, 99.1), "matches the expert"),
        (metrics(0.5, 0.5, 0.4), scored(98.7, 98.9), "more rounds may help"),
        (metrics(0.004, 0.1, 0.4), POOR, "0.4% in its own states of the validation episodes, yet"),
        (metrics(0.3, 0.1, 0.4), POOR, "by 10.0% in the states it learns from: have"),
        (metrics(0.3, 0.2, 0.4), POOR, "regret is 80% of the online loss: more rounds may help"),
        (falling(0.54), POOR, "more rounds may help"),
        (falling(0.56), POOR, "regret is 80% of the online loss and does not fall: a longer fit"),
        (metrics(0.3, 0.2, 0.05), POOR, "a longer fit or a richer policy may help"),
        (metrics(0.3, 0.2, -0.05), POOR, "regret is 0% of the online loss"),
        (
            hidden(0.2),
            POOR,
            "of the 30.0% in all states so far, 20.0% or more is hidden by its view",
        ),
        (hidden(0.4), POOR, "of the 30.0% in all states so far, all may be hidden by its view"),
        (metrics(0.3, 0.2, 0.0, 0.0), POOR, "a longer fit or a richer policy may help"),
    ],
)
def test_one_sentence_says_what_may_help(values, student, words):
    said = advice(values, student, GOOD)
    assert words in said and "\n" not in said and "will" not in said


def test_nothing_is_said_without_figures():
    assert advice({}, POOR, GOOD) == ""
    assert advice({"disagreement/own": 0.3}, POOR, GOOD) == ""


def test_what_the_run_already_has_is_not_proposed():
    """`trainer=dagger` says nothing to a run of it, nor policy=gru to one of pictures."""
    source = SimpleNamespace(observation_space=SimpleNamespace(shape=(36, 36, 4)))
    job = SimpleNamespace(
        config={"trainer": {"name": "dagger"}}, env=SimpleNamespace(source=source)
    )
    said = advice(metrics(0.3, 0.1, 0.4), POOR, GOOD, **_fitting_words(job))
    assert said.endswith("more rounds, in which it acts in more of them, may help")
    said = advice(hidden(0.2), POOR, GOOD, **_fitting_words(job))
    assert "more of the past (view.stack=8) or another view" in said


def test_a_fit_is_lengthened_by_its_own_key():
    said = advice(metrics(0.3, 0.2, 0.05), POOR, GOOD, longer_fit="a longer fit (policy.epochs)")
    assert "a longer fit (policy.epochs) or a richer policy may help" in said


def test_rounds_without_labels_are_no_reason_for_more_rounds():
    said = advice(metrics(0.3, 0.2, 0.4), POOR, GOOD, new_labels=0)
    assert "the last round added no labels" in said and "more rounds may" not in said


def test_a_student_above_its_expert_is_said_to_be_there():
    expert, student = scored(*range(10)), scored(*(5.45 + i + 0.1 * (i % 2) for i in range(10)))
    said = advice(metrics(0.3, 0.2, 0.4), student, expert)
    assert "above the expert (by 5.5, standard error 0.0)" in said and "best=agreement" in said
    assert "in 30.0% of its own states" in said
    said = advice({}, scored(30, 31, 32, 33, 34), scored(10, 10, 10, 10, 10))
    assert "(by 22.0, standard error 0.7)" in said  # 1.58 / sqrt(5)


@pytest.mark.parametrize(
    "student",
    [
        scored(*(i + 20 * (-1) ** i for i in range(10))),  # by chance
        scored(*(4.51 + i - 4.5 for i in range(10))),  # by less than 1 %
        scored(9, 10, 11),  # few episodes
    ],
)
def test_a_little_above_is_a_match(student):
    expert = scored(*range(len(student.returns)))
    assert "matches" in advice({}, student, expert)


def steps(score, *lengths):
    return Score(score.seeds, score.returns, np.array(lengths), score.failed)


def test_an_expert_that_gains_nothing_is_not_praised():
    floor, ceiling = scored(-200, -200), scored(500, 500)
    worst = steps(floor, 200, 200)
    assert "may be the least" in advice({}, worst, worst, horizon=200)
    assert "may be the least" in advice({}, scored(0, 0), scored(0, 0))
    for fine in (steps(floor, 13, 13), steps(ceiling, 200, 200), steps(scored(-9, -8), 200, 200)):
        assert "matches" in advice({}, fine, fine, horizon=200)


def test_an_expert_at_the_highest_return_is_not_said_to_gain_nothing():
    perfect = scored(0.0, 0.0)
    assert "may be the least" in advice({}, perfect, perfect)
    assert "matches the expert" in advice({}, perfect, perfect, highest=0.0)


@pytest.mark.parametrize(("early", "named"), [(0.7, True), (0.5, False), (None, False)])
def test_labels_at_the_start_of_episodes_are_named(early, named):
    said = advice(metrics(0.3, 0.2, 0.4), POOR, GOOD, early=early, slower="beta=linear")
    assert ("let the expert act for longer (beta=linear)" in said) == named
    assert advice({}, GOOD, GOOD, early=0.9).startswith("the student matches")
