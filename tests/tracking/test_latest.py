"""`latest` is the newest run below outputs/."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.report.find import existing
from dagger_cli.tracking.latest import with_latest


def run(folder: Path, time: int) -> Path:
    (folder / "checkpoints" / "round_0001").mkdir(parents=True)
    (folder / "checkpoints" / "last").symlink_to("round_0001")
    os.utime(folder / "checkpoints", (time, time))
    return folder


def test_the_run_whose_round_was_saved_last(tmp_path: Path) -> None:
    run(tmp_path / "outputs/a/dagger/2", 200)
    newest = run(tmp_path / "outputs/b/sup/1", 300)
    run(tmp_path / "outputs/b/sup/3", 100)
    (tmp_path / "outputs/c/unfinished/checkpoints").mkdir(parents=True)
    assert with_latest(Path("latest"), tmp_path) == newest
    assert with_latest(Path("latest/last"), tmp_path) == newest / "last"
    assert with_latest(Path("x/latest"), tmp_path) == tmp_path / "x/latest"
    (tmp_path / "latest").mkdir()
    assert with_latest(Path("latest"), tmp_path) == tmp_path / "latest"


def test_a_run_that_waits_in_its_first_round_can_be_the_latest(tmp_path: Path) -> None:
    run(tmp_path / "outputs/a/dagger/1", 100)
    asks, answered = tmp_path / "outputs/a/dagger/2", tmp_path / "outputs/a/dagger/3"
    (asks / "questions/round_0001").mkdir(parents=True)
    (answered / "human").mkdir(parents=True)
    for file in (asks / "config.yaml", answered / "human/config.yaml"):
        file.touch()
    os.utime(asks / "questions", (200, 200))
    os.utime(answered / "human", (150, 150))
    assert with_latest(Path("latest"), tmp_path) == asks
    os.utime(answered / "human", (250, 250))
    assert with_latest(Path("latest"), tmp_path) == answered


def test_no_run_is_the_latest_of_none(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no run below"):
        with_latest(Path("latest"), tmp_path)


def test_the_latest_job_of_a_sweep_stands_for_the_sweep_in_reports(tmp_path, monkeypatch) -> None:
    run(tmp_path / "outputs/a/sweep/0_sup", 100)
    run(tmp_path / "outputs/a/sweep/1_dagger", 200)
    monkeypatch.chdir(tmp_path)
    assert existing(["latest"]) == [Path("outputs/a/sweep/1_dagger")]
    (tmp_path / "outputs/a/sweep/sweep.yaml").touch()
    assert existing(["latest"]) == [Path("outputs/a/sweep")]
    run(tmp_path / "outputs/b/sup/1", 300)
    assert existing(["latest"]) == [Path("outputs/b/sup/1")]
