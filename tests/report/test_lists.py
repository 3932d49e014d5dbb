"""`dagger runs` and `dagger compare`, and the words of all commands on folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.running import dagger

from .fake_runs import job, make_run, make_sweep


@pytest.fixture
def sweep(tmp_path):
    make_sweep(tmp_path / "outputs/toy", {"dagger": [97, 95, 99], "sup": [60, 70, 80]})
    make_run(tmp_path / "outputs/toy/6_dagger_seed3", (50.0,), seed=3, final=None)
    failed = tmp_path / "outputs/toy/7_sup_seed3"
    failed.mkdir()
    value = job("failed", "env=toy", "trainer=sup", "seed=3", error="no\x1b[31m")
    (failed / "job.json").write_text(json.dumps(value))
    for age, folder in enumerate(sorted((tmp_path / "outputs/toy").iterdir())):
        for path in folder.iterdir():
            os.utime(path, (1e9 - age, 1e9 - age))
    return tmp_path


def test_the_list_has_the_newest_first(sweep):
    out = dagger("runs", cwd=sweep, COLUMNS="200").out.splitlines()
    assert len(out) == 1 + 8 + 1 and out[0].split()[:3] == ["run", "env", "trainer"]
    words = out[1].split()
    assert words[:5] == ["outputs/toy/0_dagger_seed0", "toy", "dagger", "0", "finished"]
    assert words[5:9] == ["300", "97.0", "97.0", "%"]
    assert "stopped at 1 of 3     100   ~50.0" in out[7] and "failed" in out[8]
    assert "highest validation return" in out[9]


@pytest.mark.parametrize("width", [40, 61, 80, 120, 200])
def test_no_line_but_a_path_is_wider_than_the_terminal(sweep, width):
    out = dagger("runs", cwd=sweep, COLUMNS=str(width)).out
    assert all(len(line) <= width or line.startswith("outputs") for line in out.splitlines())
    for fact in ("97.0", "stopped at 1 of 3", "failed", "6_dagger_seed3"):
        assert fact in out
    assert "\x1b" not in out


def test_a_pipe_has_whole_rows_without_colours(sweep):
    command = [sys.executable, "-m", "dagger_cli", "runs"]
    clean = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    done = subprocess.run(command, cwd=sweep, env=clean, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 10 and "\x1b" not in done.stdout


def test_what_a_sweep_varies_has_a_column(tmp_path):
    for i, beta in enumerate(("linear", "exponential")):
        words = ("trainer=dagger", f"beta_schedule={beta}", "env=toy", "rounds=2", "seed=0")
        make_run(tmp_path / f"sweep/{i}", job=job("finished", *words))
    make_run(tmp_path / "sweep/alone")
    head, *rows = dagger("runs", "sweep", cwd=tmp_path, COLUMNS="200").out.splitlines()
    assert head.split()[3:6] == ["seed", "swept", "status"]
    assert {row.split()[4] for row in rows} == {"beta=linear", "beta=exponential", "finished"}
    stacked = dagger("runs", "sweep", cwd=tmp_path, COLUMNS="40").out
    assert "beta=exponential" in stacked


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["trainer=sup"], 4),
        (["status=stopped"], 1),
        (["status=stopped,failed"], 2),
        (["trainer=sup", "status=finished"], 3),
        (["env=other"], 0),
        (["outputs/toy/0_dagger_seed0"], 1),
    ],
)
def test_filters(sweep, words, count):
    done = dagger("runs", *words, "--json", cwd=sweep)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0 and len(rows) == count


def test_json_has_numbers_and_nulls(sweep):
    out = dagger("runs", "--json", "status=stopped,failed", cwd=sweep).out
    stopped, failed = map(json.loads, out.splitlines())
    assert (stopped["seed"], stopped["labels"], stopped["return"]) == (3, 100, 50.0)
    assert stopped["validation"] is True and stopped["share"] is None
    assert (failed["status"], failed["return"]) == ("failed", None)


def test_groups_are_compared_in_pairs(sweep):
    out = dagger("compare", "outputs/toy", "dagger", "sup", cwd=sweep).out
    assert "toy: 4 runs of A, 3 runs of B, 3 pairs" in out
    assert "trainer.name  A dagger  B sup" in out
    # 37, 25 and 19: 27 in the mean, bounds within the three
    line = next(line for line in out.splitlines() if "A - B" in line)
    assert " 27.0  (95 % interval 19.0 to 37.0)" in line
    assert "pairs in which A is higher" in out and "3 of 3, ties 0" in out
    assert "not paired: 1 run of A without a partner, seeds 3" in out


def test_two_runs_with_other_seeds_do_not_pair(sweep):
    runs = ("outputs/toy/0_dagger_seed0", "outputs/toy/4_sup_seed1")
    out = dagger("compare", *runs, cwd=sweep).out
    assert "0 pairs" in out and "no pair is finished on both sides" in out
    assert "not paired: 1 run of B without a partner, seeds 1" in out


def test_sides_pair_on_what_both_vary(tmp_path):
    for trainer in ("dagger", "sup"):
        for rate in (0.1, 0.2):
            final = 90 + 10 * rate + (trainer == "sup")
            folder = tmp_path / trainer / str(rate)
            make_run(folder, trainer=trainer, final=final, policy__learning_rate=rate)
    out = dagger("compare", "dagger", "sup", cwd=tmp_path).out
    assert "2 pairs" in out and "seed 0 policy.learning_rate=0.1  A 91.00  B 92.00" in out
    assert "-1.00  (95 % interval -1.00 to -1.00)" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("report", "dagger report needs runs"),
        ("report outputs/toy outt=x", "dagger report has no key 'outt'; did you mean 'out'?"),
        ("report outputs/toy --open", "dagger report has no flag '--open'"),
        ("report outputs/toy out=", "out= needs a value"),
        ("report gone", "gone does not exist"),
        ("runs status=done", "status must be of finished, stopped, waiting, running, pruned, "),
        ("runs gone", "gone does not exist"),
        ("runs --jsn", "dagger runs has no flag '--jsn'; did you mean '--json'?"),
        ("compare", "dagger compare needs two things to compare"),
        (
            "compare outputs/toy dagger nope",
            "outputs/toy has no group 'nope' (groups: dagger, sup)",
        ),
        ("compare outputs/toy outputs/toy/7_sup_seed3", "no run in outputs/toy/7_sup_seed3 has"),
        ("tb gone", "gone does not exist"),
    ],
)
def test_bad_words_end_in_a_sentence(sweep, words, sentence):
    done = dagger(*words.split(), cwd=sweep)
    assert done.code == 2 and sentence in done.err and len(done.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["report", "runs", "compare", "tb"])
def test_help(tmp_path, command):
    done = dagger(command, "--help", cwd=tmp_path)
    assert done.code == 0 and done.out.startswith(f"dagger {command}: ")


def test_without_matplotlib_the_extra_is_named(sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = dagger("report", "outputs", cwd=sweep)
    assert done.code == 2 and "pip install 'dagger-cli[report]'" in done.err
    assert not (sweep / "outputs/report").exists()


def test_tensorboard_gets_the_folder_and_the_flags(sweep, monkeypatch):
    called = []

    class Ended:
        returncode = 0

    def run(command, *, env, **_):
        assert env["PYTHONSAFEPATH"] == "1"  # or a tensorboard.py of the current folder would run
        called.append(command)
        return Ended

    monkeypatch.setattr(subprocess, "run", run)
    assert dagger("tb", "--port", "6007", cwd=sweep).code == 0
    assert dagger("tb", "outputs/toy/0_dagger_seed0", "outputs/toy", cwd=sweep).code == 0
    one, two = called
    assert one[1:] == ["-m", "tensorboard.main", "--logdir", "outputs", "--port", "6007"]
    assert two[3] == "--logdir_spec" and len(two[4].split(",")) == 2


def test_tensorboard_that_ends_with_an_error_is_a_sentence(sweep, monkeypatch):
    class Ended:
        returncode = 1

    monkeypatch.setattr(subprocess, "run", lambda command, **_: Ended)
    done = dagger("tb", cwd=sweep)
    assert done.code == 2 and "TensorBoard ended with exit code 1" in done.err
