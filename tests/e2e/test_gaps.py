"""Edge cases of Hydra's flags, signs and pipes; printed commands for user-defined classes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from .running import TINY, dagger, summary

WRONG = {
    "train --nope": r"unrecognized arguments: --nope; see `dagger train --help`",
    "eval --cfg nope": r"argument --cfg/-c: invalid choice: 'nope'.*; see `dagger eval --help`",
    "train env=cartpole ~labels": r"'~labels' has nothing|'~' removed labels",
    "train env=cartpole ~seed": r"'~' removed seed, which is needed",
    "train env=cartpole ~validation.episodes": r"'~' removed validation.episodes, which is needed",
    "train env=cartpole expert=bundled +x=1": r"there is no key 'x': leave it out",
    "train env=cartpole expert=bundled +seeds=1": r"no key 'seeds'; did you mean 'seed'\?",
    "eval checkpoint=x +rounds=1": r"there is no key 'rounds': leave it out",
}


@pytest.mark.parametrize("words", WRONG)
def test_one_sentence(words, tmp_path):
    done = dagger(*words.split(), cwd=tmp_path)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("dagger: ") and re.search(WRONG[words], line), line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", ["--help", "train --info", "expert"])
def test_a_closed_pipe_is_no_error(words, tmp_path):
    command = f"{shlex.quote(sys.executable)} -m dagger_cli.cli.main {words} | head -1"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert len(done.stdout.splitlines()) == 1 and done.stderr == ""


OWN = """
import gymnasium
gymnasium.register(
    "Own-v0", "gymnasium.envs.classic_control:CartPoleEnv", max_episode_steps=40
)
gymnasium.register("Open-v0", "gymnasium.envs.classic_control:CartPoleEnv")
def teacher(obs):
    return int(obs[2] > 0)
"""


def test_printed_commands_name_what_must_be_imported_again(tmp_path, monkeypatch):
    (tmp_path / "own_envs.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    own = ("env=gym", "env.id=Own-v0", "env.import=own_envs")
    taught = ("expert=python", "expert.target=own_envs.teacher")
    words = [w for w in TINY if not w.startswith(("env=", "expert="))]
    done = dagger("train", *own, *taught, *words, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    printed = summary(tmp_path / "run")["commands"]
    assert printed["evaluate"] == "dagger eval checkpoint=run 'trust=[own_envs]'"
    assert printed["resume"] == "dagger train resume=run 'trust=[own_envs]'"
    evaluated = dagger(*shlex.split(printed["evaluate"])[1:], "episodes=1", cwd=tmp_path)
    resumed = dagger(*shlex.split(printed["resume"])[1:], "rounds=4", cwd=tmp_path)
    assert (evaluated.code, evaluated.err, resumed.code, resumed.err) == (0, "", 0, "")
    exported = ("format=torchscript", "path=own.pt", "trust=[own_envs]")
    assert dagger("export", "checkpoint=run", *exported, cwd=tmp_path).code == 0
    refused = dagger("export", "checkpoint=run", *exported[:2], cwd=tmp_path)
    assert refused.code == 2 and "imports 'own_envs'" in refused.err


@pytest.mark.parametrize(("env_id", "noted"), [("Open-v0", True), ("Own-v0", False)])
def test_who_has_no_time_limit_is_told_how_to_set_one(env_id, noted, tmp_path, monkeypatch):
    (tmp_path / "own_envs.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    taught = ("expert=python", "expert.target=own_envs.teacher", "env.import=own_envs")
    words = [w for w in TINY if not w.startswith(("env", "expert="))]
    own = ("env=gym", f"env.id={env_id}", *taught)
    trained = dagger("train", *own, *words, "hydra.run.dir=run", cwd=tmp_path)
    played = dagger("eval", "checkpoint=expert", *own, "episodes=1", cwd=tmp_path)
    assert (trained.code, played.code) == (0, 0)
    for said in (trained.out, played.out):
        assert (f"note: {env_id} has no step limit" in said) == noted
        assert ("env.max_episode_steps=1000" in said) == noted


WANDERS = """
import os
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv
class Wanders(CartPoleEnv):
    def reset(self, **words):
        os.makedirs("simulation", exist_ok=True)
        os.chdir("simulation")
        return super().reset(**words)
gymnasium.register("Own-v0", Wanders, max_episode_steps=40)
def teacher(obs):
    return int(obs[2] > 0)
"""


def test_an_environment_may_change_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "own_envs.py").write_text(WANDERS)
    monkeypatch.syspath_prepend(tmp_path)
    own = ("env=gym", "env.id=Own-v0", "env.import=own_envs")
    own += ("expert=python", "expert.target=own_envs.teacher")
    words = [w for w in TINY if not w.startswith(("env", "expert="))]
    done = dagger("train", *own, *words, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "run" / "summary.json").is_file()
    assert "dagger train resume=run" in done.out  # as seen from the shell
    scored = dagger("eval", "checkpoint=expert", *own, "json=s.json", "episodes=1", cwd=tmp_path)
    assert scored.code == 0 and (tmp_path / "s.json").is_file()


def test_a_run_that_changes_into_its_folder_prints_paths_that_work_outside(tmp_path):
    here = "hydra.run.dir=run", "hydra.job.chdir=true"
    done = dagger("train", *TINY, *here, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    printed = summary(tmp_path / "run")["commands"]
    assert printed["evaluate"] == f"dagger eval checkpoint={tmp_path / 'run'}"
    assert printed["resume"] in done.out.replace("\n", "")
    more = dagger("train", "resume=run", "rounds=4", "hydra.job.chdir=true", cwd=tmp_path)
    assert (more.code, more.err) == (0, "")


@pytest.mark.slow
def test_a_run_with_a_schedule_of_ones_own_is_resumed_where_that_is_trusted(tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "beta_schedule"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("_target_: own_schedule.Half\n")
    code = "class Half:\n    def __call__(self, progress):\n        return 0.5\n"
    (tmp_path / "own_schedule.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("beta=own", "hydra.run.dir=run", "--config-dir", "mine")
    done = dagger("train", *TINY, *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    printed = summary(tmp_path / "run")["commands"]
    assert printed["evaluate"] == "dagger eval checkpoint=run"  # which builds no schedule
    assert printed["resume"] == "dagger train resume=run 'trust=[own_schedule]'"
    assert dagger("train", "resume=run", "rounds=4", cwd=tmp_path).code == 2
    for command in ("evaluate", "resume"):
        assert dagger(*shlex.split(printed[command])[1:], cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dagger ", {"train", "eval", "expert", "push", "export"}),
        ("dagger expert ", {"list", "show", "score", "fetch", "convert"}),
        ("dagger expert score env=cart", {"env=cartpole"}),
        ("dagger push check", {"checkpoint="}),
    ],
)
def test_completion_knows_every_command(line, offered, tmp_path):
    environ = {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = dagger("-sc", "query=bash", cwd=tmp_path, **environ)
    assert done.code == 0 and offered <= set(done.out.split()), done.out
