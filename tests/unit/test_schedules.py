import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.schedules import (
    Constant,
    Exponential,
    Indicator,
    Inverse,
    Linear,
    Progress,
    Schedule,
    Table,
)


def values(schedule: Schedule, rounds: int = 5) -> list[float]:
    return [schedule(Progress(i, rounds, i / rounds)) for i in range(rounds)]


def test_by_hand():
    assert values(Indicator("round")) == [1, 0, 0, 0, 0]
    assert values(Linear(1.0, 0.0, 5, "round")) == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])
    assert values(Linear(1.0, 0.5, 2, "round")) == pytest.approx([1, 0.75, 0.5, 0.5, 0.5])
    assert values(Exponential(0.5, "round")) == [1, 0.5, 0.25, 0.125, 0.0625]
    assert values(Exponential(0.0, "round")) == [1, 0, 0, 0, 0]
    assert values(Constant(0.3)) == [0.3] * 5
    assert values(Inverse(2.0, "round")) == pytest.approx([1, 2 / 3, 1 / 2, 2 / 5, 1 / 3])
    assert values(Table((1, 0.5), "round")) == [1, 0.5, 0.5, 0.5, 0.5]


def test_the_original_walker_schedule():
    """beta_i = 1 - (i - 1) / 50, i from 1 (docs/experiments/original_walker.md)."""
    schedule = Linear(1.0, 0.0, 50, "round")
    expected = [1 - (i - 1) / 50 for i in range(1, 51)]
    assert [schedule(Progress(i, 50, 0.0)) for i in range(50)] == pytest.approx(expected)


@pytest.mark.parametrize(
    "make",
    [
        Indicator,
        lambda by: Linear(1.0, 0.0, 5, by),
        lambda by: Exponential(0.5, by),
        lambda by: Inverse(1.0, by),
        lambda by: Table((1.0, 0.7, 0.1), by),
    ],
)
def test_by_labels_agrees_with_by_round_when_rounds_are_equal(make):
    assert values(make("labels")) == pytest.approx(values(make("round")))


def test_by_labels_follows_the_labels_not_the_rounds():
    half_spent = Progress(round=1, rounds=10, share=0.5)
    assert Linear(1.0, 0.0, 10, "labels")(half_spent) == pytest.approx(0.5)
    assert Indicator("labels")(Progress(round=3, rounds=10, share=0.05)) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(1.5, 0, 5, "round"), r"start must be in \[0, 1\], got 1.5"),
        (lambda: Linear(1, 0, 0, "round"), "over must be > 0, got 0"),
        (lambda: Exponential(-0.1, "round"), r"p must be in \[0, 1\], got -0.1"),
        (lambda: Constant(2), r"value must be in \[0, 1\], got 2"),
        (lambda: Inverse(0, "round"), "scale must be > 0"),
        (lambda: Table((), "round"), "values is empty"),
        (lambda: Table((0.5, 7), "round"), r"values must be in \[0, 1\], got 7"),
        (lambda: Indicator("week"), "by must be one of round, labels; got 'week'"),
    ],
)
def test_wrong_values_are_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
