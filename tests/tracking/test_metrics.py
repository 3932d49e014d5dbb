from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.state import State
from dagger_cli.core.types import Score, Usage
from dagger_cli.loggers.interface import RunInfo
from dagger_cli.loggers.run_folder import JsonlLogger
from dagger_cli.loop.run import Best, Round
from dagger_cli.tracking.metrics import MetricsFile, scalars
from dagger_cli.tracking.summary import commands, score_summary, write_summary
from dagger_cli.tracking.versions import _PACKAGES, versions

from .toys import ToyExpert

SCORE = Score(
    seeds=np.arange(4),
    returns=np.array([1.0, 3.0, 5.0, 7.0]),
    lengths=np.array([10, 20, 30, 40]),
    failed=np.array([True, False, False, False]),
)


def finished(round: int, loss: float = 0.5, labels: int | None = None) -> Round:
    usage = Usage(100 * round + 1, 100 * round if labels is None else labels)
    state = State(round, None, None, usage, {"train/beta": 0.25, "train/loss": loss})
    return Round(state, ToyExpert(), SCORE, Best(round, 4.0, 4.0), {"collect": 1.0, "fit": 2.0})


def rounds_in(path: Path) -> list[int]:
    return [json.loads(line)["round"] for line in path.read_text().splitlines()]


def test_the_numbers_of_a_round() -> None:
    assert scalars(finished(2)) == {
        "train/beta": 0.25,
        "train/loss": 0.5,
        "train/labels": 200,
        "train/env_steps": 201,
        "eval/return_mean": 4.0,
        "eval/return_per_step": 0.16,
        "eval/return_std": math.sqrt(5),
        "eval/episode_length": 25.0,
        "eval/failures": 0.25,
        "time/collect": 1.0,
        "time/label": 0.0,
        "time/fit": 2.0,
        "time/validate": 0.0,
        "time/total": 3.0,
    }


def test_a_line_a_round_of_strict_json(tmp_path: Path) -> None:
    observe = MetricsFile(tmp_path / "m", round=0)
    observe(finished(1))
    observe(finished(2, loss=math.nan))
    lines = (tmp_path / "m").read_text().splitlines()
    values = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert values[0] == {"round": 1, **scalars(finished(1))}
    assert values[1]["train/loss"] is None


def test_resuming_drops_later_rounds_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "m"
    observe = MetricsFile(path, round=0)
    for round in (1, 2, 3):
        observe(finished(round))
    with open(path, "a") as file:
        file.write('{"round": 2, "train/be')
    MetricsFile(path, round=2)(finished(3))
    assert rounds_in(path) == [1, 2, 3]
    MetricsFile(path, round=0)
    assert path.read_text() == ""


def test_summary(tmp_path: Path) -> None:
    run = tmp_path / "my run"
    run.mkdir()
    bad = replace(SCORE, returns=np.array([1.0, 3.0, 5.0, np.nan]))
    write_summary(
        run,
        student=SCORE,
        round=5,
        expert=bad,
        best=Best(3, 4.5, 4.5),
        objective=("auc", 2.5),
        usage=Usage(7, 6),
        wall_seconds=1.5,
    )
    value = json.loads((run / "summary.json").read_text(), parse_constant=pytest.fail)
    assert value["student"] == score_summary(SCORE) | {"stderr": pytest.approx(1.2909944)}
    assert value["student_round"] == 5
    assert value["student"]["seeds"] == [0, 1, 2, 3] and value["student"]["failures"] == 1
    assert value["expert"]["mean"] is None
    assert value["objective"] == {"auc": 2.5}
    assert value["best"] == {"round": 3, "validation_mean": 4.5}
    assert value["spent"] == {"env_steps": 7, "labels": 6}
    assert set(value["commands"]) == {"evaluate", "watch", "curves", "resume"}


def test_commands_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    near = commands(tmp_path / "outputs/a+b")
    assert near["evaluate"] == "dagger eval checkpoint=outputs/a+b"
    assert near["watch"] == "dagger eval checkpoint=outputs/a+b render=human"
    assert near["curves"] == "tensorboard --logdir outputs/a+b"
    unseen = commands(tmp_path / "outputs/a+b", shown=False)
    assert unseen == {name: word for name, word in near.items() if name != "watch"}
    odd = commands(tmp_path / "x=1, y's")
    assert odd["curves"] == """tensorboard --logdir 'x=1, y'"'"'s'"""
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert commands(tmp_path / "a")["resume"] == f"dagger train resume={tmp_path / 'a'}"


@pytest.mark.parametrize("path", ["plain/x-1.5", "a b", "beta=linear,seed=1", "it's(1)", 'q"q'])
def test_hydra_reads_the_path_that_was_meant(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    from hydra.core.override_parser.overrides_parser import OverridesParser

    monkeypatch.chdir(tmp_path)
    word = shlex.split(commands(Path(path))["resume"])[2]
    override = OverridesParser.create().parse_override(word)
    assert (override.key_or_group, override.value()) == ("resume", path)


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = versions()
    assert here["packages"]["numpy"] == np.__version__
    json.dumps(here, allow_nan=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert versions()["git"] is None
    monkeypatch.setenv("PATH", str(tmp_path))  # no git at all
    assert versions()["git"] is None


def test_the_git_revision_is_read_and_no_program_of_the_repository_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    def git(*words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(
            ["git", *identity, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "a")
    expected = {"revision": git("rev-parse", "HEAD")}
    assert versions()["git"] == expected
    git("config", "filter.bad.clean", "touch canary; cat")
    git("config", "core.fsmonitor", "touch canary")
    (tmp_path / ".gitattributes").write_text("* filter=bad")
    os.utime(tmp_path / "a", (1, 1))
    assert versions()["git"] == expected and not (tmp_path / "canary").exists()
    git("worktree", "add", "-q", "-b", "other", "tree")
    monkeypatch.chdir(tmp_path / "tree")
    assert versions()["git"] == expected
    monkeypatch.chdir(tmp_path)
    (tmp_path / "canary").unlink(missing_ok=True)
    git("pack-refs", "--all")
    assert versions()["git"] == expected
    git("checkout", "-q", "--detach")
    assert versions()["git"] == expected
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/../../../secret\n")
    assert versions()["git"] is None


def test_the_packages_are_the_dependencies() -> None:
    import re

    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    listed = text.split("\ndependencies = [", 1)[1].split("\n]", 1)[0]
    names = re.findall(r'"([\w-]+)', listed)
    assert names and set(names) == set(_PACKAGES) - {"box2d", "box2d-py"}


def test_a_resumed_run_says_which_lines_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path, round=0)
    for round in (1, 2, 3):
        file(finished(round))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "{damaged\n" + lines[2])
    assert MetricsFile(path, round=3).missing == [2]
    logger = JsonlLogger()
    logger.start(RunInfo(tmp_path, {}, "", 3, 300))
    assert "no readable line for round 2: reports will lack" in capsys.readouterr().err
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match=r"cannot be read \(not a regular file\)"):
        MetricsFile(path, round=3)
