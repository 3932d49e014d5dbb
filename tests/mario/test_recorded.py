"""The simulator against recordings of the real one: every column of every tick, every cell."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.envs.mario import replay
from dagger_cli.envs.mario.simulator.state import ROWS
from tests.mario.playing import differences, mario, started


@pytest.fixture
def recordings(shared: Path) -> Path:
    folder = shared / "mario"
    if not folder.is_dir():
        pytest.skip(f"no recorded runs at {folder}")
    return folder


@pytest.mark.slow
def test_recorded_runs_are_equal_in_every_column_of_every_tick(recordings):
    paths = sorted((recordings / "traces2009" / "public").glob("*.jsonl.gz"))
    assert len(paths) == 30
    for path in paths:
        with gzip.open(path, "rt") as lines:
            head, *wanted = map(json.loads, lines)
        names = ("seed", "difficulty", "type", "length", "time_limit", "mode", "actions")
        rows = replay(*(head[name] for name in names))
        assert len(rows) == len(wanted), path.name
        for row, want in zip(rows, wanted, strict=True):
            assert len(row) == len(want)
            assert differences(row, want) == [], f"{path.name}, update {want[0]}"


def test_recorded_stages_are_equal_in_every_cell(recordings):
    paths = sorted((recordings / "generator2009").glob("*.json.gz"))
    assert len(paths) == 26
    for path in paths:
        with gzip.open(path) as file:
            want = json.load(file)
        batch = started(
            1, want["seed"], difficulty=want["difficulty"], kind=want["type"], columns=want["width"]
        )
        stage = batch.stages[0]
        assert stage["tiles"].T[:ROWS].tolist() == want["tiles_rows"], path.name
        assert [stage["x_exit"], stage["y_exit"]] == [want["x_exit"], want["y_exit"]]
        codes = stage["templates"].astype(int) - 1
        cells = np.argwhere(codes >= 0).tolist()
        made = [[x, y, *divmod(int(codes[x, y]), 2)] for x, y in cells]
        assert made == want["sprites"], path.name


def test_a_run_ends_with_the_game_whatever_is_still_to_be_pressed(recordings):
    path = recordings / "traces2009" / "public" / "seed202_d1_m2_carry-202.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        head = json.loads(lines.readline())
    rows = replay(202, 1, 0, 320, 60, 2, [*head["actions"], 1, 2, 3])
    assert len(rows) == head["updates"] + 1
    assert np.float32(rows[-1][6]) == np.float32(head["final_x"])


def test_a_started_game_stands_at_the_start():
    batch = started(1)
    assert mario(batch)[["x", "y"]].tolist() == [(32, 0)]
