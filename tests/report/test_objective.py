"""What a search compares of finished runs, by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from dagger_cli.commands.objective import objective_of


def objective(name, folder, returns):
    """The objective of a run with 10 labels a round and these validation returns."""
    rows = [
        {"round": i, "train/labels": 10 * i, "eval/return_mean": float(value)}
        for i, value in enumerate(returns, 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return objective_of(SimpleNamespace(objective=name), folder, best=7.0)


@pytest.mark.parametrize(
    ("expert", "returns", "labels"),
    [
        (100.0, (50, 95, 80, 100), 20),  # the first round that had it
        (100.0, (50, 75, 60), 30 * 1.2),  # 20 % were missing at best
        (-100.0, (-200, -104), 20),  # 95 % of a negative return is 5 % below it
        (-100.0, (-400, -120), 20 * 1.15),
        (-100.0, (-400, -900), 20 * 2),  # no more than all of it can be missing
        (0.0, (-3, 0), 20),
        (0.0, (-3, -1), 20 * 2),  # of an expert's 0 there is no share
    ],
)
def test_the_labels_to_95_percent_of_the_expert(expert, returns, labels, tmp_path, monkeypatch):
    monkeypatch.setattr("dagger_cli.commands.objective._expert", lambda job: expert)
    assert objective("labels_to_95", tmp_path, returns) == pytest.approx(labels)


def test_the_return_is_the_best_and_the_area_is_over_the_labels(tmp_path):
    assert objective("return", tmp_path, (1, 2)) == 7.0
    assert objective("auc", tmp_path, (1, 2, 6)) == (1.5 + 4) / 2
