"""docs/benchmarks.md is the page of docs/benchmarks.json, and a run keeps the figures before it."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def bench(monkeypatch):
    """Returns a function that imports a module of scripts/bench, which is no package."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts/bench"))
    known = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - known:
        if str(ROOT / "scripts") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def entry(figures, date="2026-01-01"):
    return {"machine": {"date": date, "cpu": "a CPU"}, "figures": figures}


def test_the_page_is_that_of_the_measurements(bench):
    results = json.loads((ROOT / "docs/benchmarks.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert bench("page").page(results) == page


def test_a_part_keeps_the_figures_of_the_run_before_and_not_those_before_it(bench):
    updated = bench("results").updated
    first = updated({}, "fit", entry({"ratio_median": 4.0}))
    second = updated(first, "fit", entry({"ratio_median": 3.0}))
    third = updated(second, "fit", entry({"ratio_median": 2.0}))
    assert "before" not in first["fit"]
    assert third["fit"]["before"] == entry({"ratio_median": 3.0})


def test_a_skipped_part_keeps_what_it_had(bench):
    updated = bench("results").updated
    had = updated({}, "fit", entry({"ratio_median": 4.0}))
    assert updated(had, "fit", entry({"skipped": "no."})) == had
    assert "fit" in updated({}, "fit", entry({"skipped": "no."}))


def test_the_first_table_compares_and_marks_what_became_worse(bench):
    lines = bench("page_ratios").ratio_lines
    figures = {"seconds_ratio": 3.0, "memory_per_byte_of_aggregate": 4.0}
    then, now = entry(figures, "2025-12-31"), entry(figures | {"memory_per_byte_of_aggregate": 5.0})
    _, row = list(lines({"growth": now | {"before": then}}))[2:]
    assert row.startswith(
        "| growth | bytes of memory / byte of aggregate | less | 5 | 4 (2025-12-31"
    )
    assert row.endswith("| +25 **worse** |")
    goal = [{"times_faster": [2.0]}, {"times_faster": [1.0, 3.0, 4.0]}]
    (row,) = list(lines({"goal": entry(goal[1]) | {"before": entry(goal[0])}}))[2:]
    assert row.endswith("| +50 |")  # more is better


def test_labels_to_a_share_count_runs_that_never_reach_it_as_infinite(bench, monkeypatch):
    quality = bench("quality")
    ends = iter([(100.0, 1.0, 2.0), (300.0, 3.0, 4.0), (float("inf"),) * 3])
    monkeypatch.setattr(quality, "_until", lambda one, part: next(ends))
    reached = quality._reached(type("Group", (), {"runs": (0, 1, 2)}), 0.95)
    assert reached["runs"] == 2 and reached["labels"] == 300 and reached["seconds"] == 3


def test_vw_is_compared_at_the_highest_accuracy_of_each_program(bench):
    lines = [
        "| fold | learner | accuracy, % | CPU s |",
        "|---|---|---|---|",
        "| 0 | VW, 1 passes, all pairs of features | 80.00 | 1.0 |",
        "| 0 | VW, 4 passes, all pairs of features | 90.00 | 8.0 |",
        "| 0 | dagger, 20 rounds | 99.00 | 99.0 |",
        "| 0 | dagger, 1 rounds, all pairs of features | 95.00 | 4.0 |",
    ]
    found = bench("ratios").ratios_of("handwriting", {"lines": lines})
    assert [(ratio.name, ratio.value) for ratio in found] == [
        ("VW / dagger on 0, CPU s", 2.0),
        ("VW / dagger on 0, errors", 2.0),
    ]
