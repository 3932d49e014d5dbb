"""What a report reads of a run: its status, its words, and damage."""

from __future__ import annotations

import json
import os

import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.report.find import existing, runs_below
from dagger_cli.report.progress import progress_of
from dagger_cli.report.run_record import read_run
from dagger_cli.tracking.run_lock import lock_existing_run
from tests.conftest import ROOT

from .fake_runs import job, make_run, row

OLD = ROOT / "tests/old_runs/runs"


def test_a_finished_run(tmp_path):
    run = read_run(make_run(tmp_path / "run", seed=3))
    assert (run.env, run.trainer, run.seed, run.status) == ("toy", "dagger", "3", "finished")
    assert (run.round, run.rounds, run.labels) == (3, 3, 300)
    assert run.final is not None and run.final.student == 97 and run.final.rendered
    assert run.column("eval/return_mean").tolist() == [50, 90, 96]


def test_runs_of_older_versions_have_the_new_names():
    run = read_run(OLD / "dagger")
    assert run.damaged is None and run.status == "finished"
    assert run.settings["policy.optimizer"] == "sgd" and "policy.optimiser" not in run.settings
    assert run.settings["trainer.mix_per"] == "episode"
    assert run.settings["trainer.update"] == "latest"


def test_a_resumed_run_that_stopped_is_not_finished(tmp_path):
    folder = make_run(tmp_path / "run", rounds=3)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"round": 4, "train/labels": 400, "eval/return_mean": 99}) + "\n")
    run = read_run(folder)
    assert run.final is None and run.status == "stopped" and run.labels == 400


def test_nor_is_one_whose_last_rounds_asked_for_no_label(tmp_path):
    """A gate may never call the expert; the summary is of the rounds before."""
    folder = make_run(tmp_path / "run", rounds=4)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({**row(4, 300, 99.0), "train/env_steps": 400}) + "\n")
    run = read_run(folder)
    assert run.final is None and run.status == "stopped"


def test_a_run_whose_next_round_has_questions_waits(tmp_path):
    folder = make_run(tmp_path / "run", final=None)
    (folder / "questions" / "round_0003").mkdir(parents=True)
    assert read_run(folder).status == "stopped"  # they were answered
    (folder / "questions" / "round_0004").mkdir()
    assert read_run(folder).status == "waiting"


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    folder = make_run(tmp_path / "run", final=None)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"round": 4, "train/lab')
    run = read_run(folder)
    assert run.damaged is None and run.round == 3


def test_a_failed_job_may_have_only_its_job_json(tmp_path):
    folder = tmp_path / "2_sup_seed1"
    folder.mkdir()
    value = job("failed", "env=toy", "trainer=sup", "seed=1", error="no such expert")
    (folder / "job.json").write_text(json.dumps(value))
    run = read_run(folder)
    assert (run.env, run.trainer, run.seed, run.status) == ("toy", "sup", "1", "failed")
    assert run.job.error == "no such expert" and runs_below([tmp_path]) == [folder]


def test_a_failed_job_that_was_resumed_by_hand_is_finished(tmp_path):
    assert read_run(make_run(tmp_path / "run", job=job("failed", error="x"))).status == "finished"


def test_a_run_that_is_being_trained_is_running(tmp_path):
    folder = make_run(tmp_path / "run", final=None, rounds=9)
    assert progress_of(read_run(folder)).state == "stopped at 3 of 9"
    with lock_existing_run(folder):
        assert progress_of(read_run(folder)).state == "running at 3 of 9"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("config.yaml", "a: [", "config.yaml is not valid YAML"),
        ("config.yaml", "- 1\n", "config.yaml is not a mapping"),
        (
            "config.yaml",
            "!!python/object/apply:os.system ['true']",
            "config.yaml is not valid YAML",
        ),
        ("config.yaml", BOMB, "config.yaml has more than 20,000 values"),
        ("config.yaml", "[" * 5000, "config.yaml is not valid YAML"),
        ("config.yaml", "x" * 2**21, "config.yaml: too large: 2.1 MB, at most 1.0 MB"),
        ("summary.json", "{", "summary.json is not valid JSON"),
        ("summary.json", "[]", "summary.json is not a JSON object"),
        ("summary.json", "{}{}", "summary.json is not valid JSON"),
        ("summary.json", '{"student": 3}', "summary.json lacks a score, or it is no number"),
        ("summary.json", "[" * 5000, "summary.json is nested too deep"),
        ("metrics.jsonl", "no json\n", "metrics.jsonl has no readable line"),
        ("job.json", "\x00", "job.json is not valid JSON"),
    ],
)
def test_a_damaged_file_is_a_reason(tmp_path, name, text, reason):
    folder = make_run(tmp_path / "run")
    (folder / name).write_text(text)
    run = read_run(folder)
    assert run.damaged == reason and run.status == "damaged"


def test_a_pipe_in_the_place_of_a_file_is_not_read(tmp_path):
    folder = make_run(tmp_path / "run")
    (folder / "metrics.jsonl").unlink()
    os.mkfifo(folder / "metrics.jsonl")
    assert read_run(folder).damaged == "metrics.jsonl: not a regular file"


def test_runs_are_found_once_and_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1):
        make_run(tmp_path / "sweep" / f"{number}_dagger_seed0")
    (tmp_path / "sweep" / "report").mkdir()
    found = runs_below(existing([str(tmp_path), str(tmp_path / "sweep")]))
    assert [path.name.partition("_")[0] for path in found] == ["1", "2", "10"]
    pattern = existing([str(tmp_path / "sweep" / "1*_dagger_*")])
    assert [path.name for path in pattern] == ["10_dagger_seed0", "1_dagger_seed0"]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [("gone", "gone does not exist"), ("file", "file is a file"), ("a\0b", "does not exist")],
)
def test_a_path_that_is_no_folder(tmp_path, monkeypatch, word, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=sentence):
        existing([word])


def test_a_folder_without_runs(tmp_path):
    with pytest.raises(CheckpointError, match="there is no run in"):
        runs_below([tmp_path])
