"""Reports have what the person has spent as a further axis."""

from __future__ import annotations

import json

import pytest

from dagger_cli.commands.report import report
from tests.report.fake_runs import make_run, row


@pytest.mark.parametrize(
    ("takeovers", "expected"), [(0, {"seconds"}), (3, {"seconds", "takeovers"})]
)
def test_curves_against_the_persons_seconds_and_takeovers(tmp_path, takeovers, expected):
    run = make_run(tmp_path / "run", expert=None)
    person = {"human/seconds": 60.0, "human/takeovers": float(takeovers)}
    lines = [row(i, 100 * i, 50.0, **{k: i * v for k, v in person.items()}) for i in (1, 2, 3)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    make_run(tmp_path / "other", trainer="sup", expert=None)  # without a person
    out = report([tmp_path], tmp_path / "out")
    made = {path.stem.rpartition("_")[2] for path in (out / "figures").glob("*_person_*.png")}
    assert made == expected
    assert "against seconds of the person" in (out / "report.md").read_text()
