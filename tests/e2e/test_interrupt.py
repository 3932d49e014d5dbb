"""Ctrl-C: saved rounds stay, and the command that resumes the run is printed."""

from __future__ import annotations

import re
from unittest import mock

import pytest

from dagger_cli.tracking.console import Console
from tests.e2e.running import TINY, dagger, metrics, train


def test_ctrl_c_says_how_to_go_on_and_that_works(tmp_path):
    show, shown = Console.__call__, []

    def stop_after_two(console, finished):
        show(console, finished)
        shown.append(finished)
        if len(shown) == 2:
            raise KeyboardInterrupt

    with mock.patch.object(Console, "__call__", stop_after_two):
        stopped = dagger("train", *TINY, "hydra.run.dir=run", cwd=tmp_path)
    assert stopped.code == 130 and stopped.err.strip() == "interrupted"
    words = re.search(r"^resume +dagger (train resume=run)$", stopped.out, re.M)[1].split()
    assert dagger(*words, cwd=tmp_path).code == 0

    whole = train(cwd=tmp_path, run="whole")
    returns = [[line["eval/return_mean"] for line in metrics(tmp_path / r)] for r in ("run", whole)]
    assert returns[0] == returns[1] and len(returns[0]) == 3


@pytest.mark.slow
def test_a_sweep_ends_with_a_row_for_every_job(tmp_path):
    done = dagger("train", "-m", *TINY, "rounds=1", "seed=0,1", cwd=tmp_path)
    rows = re.findall(r"^seed=(\d) +(-?[\d.]+)", done.out, re.M)
    assert done.code == 0 and [seed for seed, _ in rows] == ["0", "1"]
