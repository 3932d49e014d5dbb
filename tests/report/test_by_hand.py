"""What reports, lists and comparisons compute of a few runs, worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dagger_cli.report.aggregate import _opposite
from dagger_cli.report.comparison import lines
from dagger_cli.report.groups import curve_of, sections
from dagger_cli.report.progress import progress_of
from dagger_cli.report.run_record import read_run
from dagger_cli.report.section_blocks import _regret
from dagger_cli.report.statistics import probability_of_improvement
from dagger_cli.report.words import median_labels

from .fake_runs import make_run, row


def measured(folder, **keys):
    """One run as a report has it, in a section of its own."""
    (section,) = sections([read_run(make_run(folder, **keys))])
    return section.groups[0].runs[0]


def test_sides_are_compared_pair_by_pair(tmp_path):
    """Seed 0: 10 and the mean of 4 and 8; seed 1: equal; seed 2 of B has no partner."""
    a = [measured(tmp_path / f"a{i}", seed=i, final=final) for i, final in ((0, 10.0), (1, 5.0))]
    b = [
        measured(tmp_path / f"b{i}", seed=seed, final=final)
        for i, (seed, final) in enumerate(((0, 4.0), (0, 8.0), (1, 5.0), (2, 90.0)))
    ]
    text = "\n".join(lines("toy", a, b))
    assert text.startswith("toy: 2 runs of A, 4 runs of B, 2 pairs")
    table = text.split("\n\n")[1].splitlines()[1:]
    sides = {line.split()[0]: line.split()[1:3] for line in table}
    assert sides["A"] == ["7.5", "5.0"] and sides["B"] == ["26.8", "4.0"]  # mean and least
    assert "A - B, mean over pairs                      2.00  (95 % interval 0.00 to 4.00)" in text
    assert "pairs in which A is higher                  1 of 2, ties 1" in text
    assert "seed 0  A 10.00  B 6.00" in text and "seed 1  A 5.00  B 5.00" in text
    assert "not paired: 1 run of B without a partner, seeds 2" in text


def test_a_setting_of_which_sides_share_a_value_belongs_to_the_pairs(tmp_path):
    """Side B has a rate that A lacks: runs of the rates that both have are still pairs."""
    a = [
        measured(tmp_path / f"a{rate}", policy__rate=rate, trainer="sup", final=float(rate))
        for rate in (1, 2)
    ]
    b = [measured(tmp_path / f"b{rate}", policy__rate=rate, final=9.0) for rate in (1, 2, 3)]
    text = "\n".join(lines("toy", a, b))
    assert "2 runs of A, 3 runs of B, 2 pairs" in text
    assert "seed 0 policy.rate=2  A 2.00  B 9.00" in text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([100.0, 300.0], "200"),
        ([300.0, np.nan, 100.0, 500.0], "300"),
        ([100.0, 200.0, np.inf], "200 (1 never)"),
        ([100.0, np.inf], "never"),  # half of them never did
        ([np.nan], "–"),
    ],
)
def test_the_median_of_labels(found, text):
    assert median_labels(found) == text


def test_the_other_way_round_has_the_opposite_interval():
    a, b = [np.array([1.0, 4, 6, 7])], [np.array([2.0, 3, 5])]
    other, wanted = _opposite(probability_of_improvement(a, b)), probability_of_improvement(b, a)
    assert other.value == pytest.approx(wanted.value)
    assert other.interval.low < other.value < other.interval.high
    assert other.interval == pytest.approx(wanted.interval, abs=0.06)


def test_a_run_cut_off_is_read_in_order_and_shows_its_best(tmp_path):
    folder = make_run(tmp_path / "run", (), final=None, rounds=9)
    rounds = (3, 1, 2)
    text = [json.dumps(row(i, 10 * i, {1: 5.0, 2: 8.0, 3: 6.0}[i])) + "\n" for i in rounds]
    (folder / "metrics.jsonl").write_text("".join(text))
    run = read_run(folder)
    assert run.column("round").tolist() == [1, 2, 3] and (run.round, run.labels) == (3, 30)
    curve = curve_of(run)
    assert curve.returns.tolist() == [5, 8, 6] and curve.labels.tolist() == [10, 20, 30]
    assert curve.seconds.tolist() == [2, 4, 6]  # since the start
    assert (progress_of(run).value, progress_of(run).validation) == (8.0, True)


def test_an_unfinished_run_takes_the_expert_of_its_own_group(tmp_path):
    for rate, expert in ((1, 100.0), (2, 50.0), (3, 60.0)):
        make_run(tmp_path / f"{rate}", policy__rate=rate, expert=expert)
    cut = make_run(tmp_path / "cut", policy__rate=2, seed=1, final=None)
    runs = [read_run(folder) for folder in sorted(tmp_path.iterdir())]
    (section,) = sections(runs)
    experts = {one.run.folder: one.expert for group in section.groups for one in group.runs}
    assert experts[cut] == 50.0 != np.median([100, 50, 60])


def test_regret_is_the_mean_over_the_seeds(tmp_path):
    runs = []
    for seed, regret in enumerate((0.5, 0.1)):
        folder = make_run(tmp_path / f"{seed}", seed=seed)
        names = ("regret/average", "regret/online_loss_mean", "regret/hindsight_loss")
        values = dict(zip(names, (regret, 2 * regret, 0.25), strict=True))
        both = [row(2, 200, 90.0, **dict.fromkeys(names, 9.0)), row(3, 300, 96.0, **values)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in both))
        runs.append(read_run(folder))
    (section,) = sections(runs)
    *_, table = _regret(section)
    assert table.rows == (("dagger", "0.3", "0.6", "0.25"),)
