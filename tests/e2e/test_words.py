"""Hydra's own conventions, sweeps, completion, and environments and experts of the user's own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from omegaconf import OmegaConf

from dagger_cli import __version__
from dagger_cli.config.options import GROUPS, best_experiment, options
from dagger_cli.utils.quoting import hydra_quoted

from .running import TINY, dagger, metrics, summary, train


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_the_groups_and_the_commands(words, tmp_path):
    done = dagger(*words, cwd=tmp_path)
    assert done.code == 0
    assert "dagger train env=bipedal beta=linear" in done.out
    for group in ("env", "expert", "policy", "beta_schedule", "trainer", "experiment"):
        assert f"\n  {group} " in done.out
    assert "bipedal_hardcore" in done.out and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("train", list(GROUPS)),
        pytest.param("eval", ["env", "expert"], marks=pytest.mark.slow),
        pytest.param("expert list", ["env"], marks=pytest.mark.slow),
        pytest.param("expert score", ["env", "expert"], marks=pytest.mark.slow),
        pytest.param("push", [], marks=pytest.mark.slow),
        pytest.param("export", [], marks=pytest.mark.slow),
    ],
)
def test_help_of_a_command_is_ours_and_names_the_groups_it_takes(command, groups, tmp_path):
    (tmp_path / "mine" / "env").mkdir(parents=True)
    (tmp_path / "mine" / "env" / "moon.yaml").write_text("id: Moon-v0\n")
    done = dagger(*command.split(), "--help", "--config-dir", "mine", cwd=tmp_path)
    assert done.code == 0 and done.out.startswith(f"dagger {command}: ")
    above, config = done.out.split("== Config")
    assert [name for name in GROUPS if f"\n{name}: " in above] == groups
    assert ("moon" in above) == bool(groups) and "schema" not in above and "$" not in above
    assert "Examples:" in config


def test_version(tmp_path):
    assert dagger("--version", cwd=tmp_path).out == f"dagger-cli {__version__}\n"


def test_cfg_job_shows_the_config_and_runs_nothing(tmp_path):
    done = dagger("train", *TINY, "beta.over=7", "seed=4", "--cfg", "job", cwd=tmp_path)
    config = yaml.safe_load(done.out)
    assert (config["seed"], config["rounds"], config["beta_schedule"]["over"]) == (4, 3, 7)
    assert config["trainer"]["beta"] == "${beta_schedule}" and not list(tmp_path.iterdir())


def test_info_shows_where_configs_are_searched(tmp_path):
    # A process of its own: Hydra prints this through handlers of the root logger.
    command = [sys.executable, "-m", "dagger_cli.cli.main", "train", "--info", "searchpath"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Config search path" in done.stdout
    assert not list(tmp_path.iterdir())


def test_plus_adds_and_tilde_removes_as_in_hydra(tmp_path):
    words = ("+env.kwargs.sutton_barto_reward=true", "+note=mine", "~beta", "trainer=sup")
    done = dagger("train", *words, "--cfg", "job", cwd=tmp_path)
    config = yaml.safe_load(done.out)
    assert config["env"]["kwargs"] == {"sutton_barto_reward": True}
    assert config["note"] == "mine" and config["beta_schedule"] == "???"


@pytest.mark.parametrize(
    ("choices", "keys"),
    [
        (
            ("trainer=sup,dagger", "seed=0,1"),
            {("sup", 0), ("sup", 1), ("dagger", 0), ("dagger", 1)},
        ),
        pytest.param(
            ("beta=linear,exponential",),
            {("Linear", 0), ("Exponential", 0)},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("trainer=sup,dagger", "beta_schedule=indicator,constant"),
            {("sup", 0), ("Indicator", 0), ("Constant", 0)},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["trainer and seed", "beta", "beta of one trainer only"],
)
@pytest.mark.slow
def test_a_sweep_makes_a_run_a_job(tmp_path, choices, keys):
    done = dagger("train", "-m", *TINY, "rounds=1", *choices, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    runs = [path.parent for path in (tmp_path / "outputs" / "cartpole").rglob("summary.json")]
    found = []
    for run in runs:
        config = yaml.safe_load((run / "config.yaml").read_text())
        beta = config["beta_schedule"]["_target_"].rpartition(".")[2]
        by_trainer = config["trainer"]["name"] == "sup" or "trainer" in choices[0]
        name = config["trainer"]["name"] if by_trainer and len(choices) == 2 else beta
        if len(choices) == 2 and "indicator" in choices[1] and name == "dagger":
            name = beta
        found.append((name, config["seed"]))
        assert run.name.partition("_")[2] == f"{config['trainer']['name']}_seed{config['seed']}"
    assert len(found) == (2 if len(choices) == 1 else 4)
    assert set(found) == keys


@pytest.mark.slow
def test_in_a_sweep_the_expert_plays_the_same_episodes_once(tmp_path):
    choices = ("seed=0,1", "env.max_episode_steps=40,60")
    words = ("train", "-m", *TINY, "rounds=1", *choices)
    done = dagger(*words, cwd=tmp_path, DAGGER_CACHE=str(tmp_path / "cache"))
    assert (done.code, done.err) == (0, "")
    logs = "".join(log.read_text() for log in (tmp_path / "outputs").rglob("console.log"))
    assert [logs.count(f"evaluating {name}") for name in ("student", "expert")] == [4, 2]
    assert len([*(tmp_path / "cache" / "expert_scores").iterdir()]) == 2
    runs = [path.parent for path in tmp_path.rglob("summary.json")]
    limits = [yaml.safe_load((run / "config.yaml").read_text())["env"] for run in runs]
    scores = [summary(run)["expert"]["mean"] for run in runs]
    assert scores == [limit["max_episode_steps"] for limit in limits]
    assert sorted(scores) == [40, 40, 60, 60]


@pytest.mark.slow
def test_a_sweep_of_scores_shows_all_numbers_and_leaves_no_file(tmp_path):
    train(
        "rounds=1", cwd=tmp_path, run="a_run_with_a_rather_long_name_to_leave_no_room_for_numbers"
    )
    before = sorted(tmp_path.iterdir())
    paths = "checkpoint=a_run_with_a_rather_long_name_to_leave_no_room_for_numbers"
    done = dagger("eval", "-m", paths, "episodes=2,3", cwd=tmp_path, COLUMNS="40")
    assert (done.code, done.err) == (0, "")
    rows = done.out.partition("\nreturn ")[2].splitlines()[1:]
    assert [row.split()[::4] for row in rows] == [["episodes=2", "2"], ["episodes=3", "3"]]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_in_a_sweep_over_environments_a_best_experiment_is_not_taken_in_silence(tmp_path):
    done = dagger("train", "-m", "env=mario,cartpole", "rounds=0", "expert=bundled", cwd=tmp_path)
    assert "env=mario uses the default settings" in done.err


@pytest.mark.slow
def test_one_failing_job_does_not_stop_the_others(tmp_path):
    done = dagger("train", "-m", *TINY, "rounds=1", "n_envs=0,1,-1", cwd=tmp_path)
    assert done.code == 2
    assert done.err.splitlines() == [
        "dagger: job n_envs=-1 failed, too: n_envs must be at least 1, got -1",
        "dagger: job n_envs=0 failed: n_envs must be at least 1, got 0",
    ]
    assert len([*tmp_path.rglob("summary.json")]) == 1


def test_config_dir_adds_a_users_own_options(tmp_path):
    option = tmp_path / "mine" / "env" / "shortpole.yaml"
    option.parent.mkdir(parents=True)
    option.write_text("defaults: [cartpole, _self_]\nname: shortpole\nmax_episode_steps: 11\n")
    words = [word for word in TINY if not word.startswith("env")]
    done = dagger("train", "--config-dir", "mine", "env=shortpole", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    (run,) = (tmp_path / "outputs" / "shortpole" / "dagger").iterdir()
    assert summary(run)["expert"]["mean"] == 11
    assert "mean         11" in dagger("eval", f"checkpoint={run}", cwd=tmp_path).out


COMMANDS = {"train", "eval", "expert", "push", "export", "report", "runs", "compare", "tb", "bench"}
COMMANDS |= {"data", "ask", "answer"}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dagger train env=bi", {"env=bipedal", "env=bipedal_hardcore"}),
        ("dagger train beta=lin", {"beta=linear"}),
        ("dagger train beta_schedule=lin", {"beta_schedule=linear"}),
        ("dagger train beta=linear beta.ov", {"beta.over="}),
        ("dagger train beta=linear trainer=su", {"trainer=sup"}),
        ("dagger eval env=cart", {"env=cartpole"}),
        ("dagger tr", COMMANDS),  # bash keeps those that begin with the word
        ("dagger ", COMMANDS),
    ],
)
def test_completion(tmp_path, line, offered):
    place = {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = dagger("-sc", "query=bash", cwd=tmp_path, **place)
    assert done.code == 0 and set(done.out.split()) == offered


def test_completion_can_be_installed(tmp_path):
    assert "complete " in dagger("train", "-sc", "install=bash", cwd=tmp_path).out


LIGHTS = """
import gymnasium
import numpy as np

class Lights(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.MultiBinary(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.look(), {}

    def step(self, action):
        right = float((action == (self.seen > 0)).sum())
        return self.look(), right, False, False, {}

    def look(self):
        self.seen = self.np_random.uniform(-1, 1, 3).astype(np.float32)
        return self.seen

gymnasium.register("mine/Lights-v0", entry_point=Lights, max_episode_steps=20)

def switch(obs):
    return obs > 0
"""


@pytest.fixture
def lights(tmp_path, monkeypatch):
    (tmp_path / "my_lights.py").write_text(LIGHTS)
    monkeypatch.syspath_prepend(tmp_path)
    words = [word for word in TINY if not word.startswith(("env", "expert", "policy"))]
    own = "env=gym env.id=mine/Lights-v0 env.import=my_lights env.workers=0 policy=linear"
    expert = "expert=python expert.target=my_lights:switch beta=exponential"
    return [*words, *own.split(), *expert.split(), "hydra.run.dir=run"]


def test_a_users_own_env_and_expert(tmp_path, lights):
    done = dagger("train", *lights, "steps_per_round=300", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    value = summary(tmp_path / "run")
    assert value["expert"]["mean"] == 60  # three lights, twenty steps
    assert value["student"]["mean"] > 54
    assert (tmp_path / "run" / "summary.json").exists()


@pytest.mark.slow
def test_a_users_own_env_is_imported_from_a_checkpoint_only_when_told_so(tmp_path, lights):
    assert dagger("train", *lights, "rounds=2", cwd=tmp_path).code == 0
    refused = dagger("eval", "checkpoint=run", cwd=tmp_path)
    assert refused.code == 2 and "if you trust it, add trust=[my_lights]" in refused.err
    words = ("eval", "checkpoint=run", "json=scores.json")
    for told in ("trust=[my_lights]", "trust=my_lights", "env.import=my_lights"):
        assert dagger(*words, told, cwd=tmp_path).code == 0
    for useless in ("trust=[other]", "trust=[my_light]", "trust=[dagger_cli]", "trust=[torch.nn]"):
        assert dagger(*words, useless, cwd=tmp_path).code == 2
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["mean"] == summary(tmp_path / "run")["student"]["mean"]


@pytest.mark.slow
def test_a_run_with_a_users_own_expert_is_resumed_when_told_so(tmp_path, lights):
    assert dagger("train", *lights, "rounds=2", cwd=tmp_path).code == 0
    words = ("train", "resume=run", "rounds=3")
    refused = dagger(*words, cwd=tmp_path)
    assert refused.code == 2 and "trust=[my_lights]" in refused.err
    other = dagger(*words, "trust=[my_lights]", "expert.target=os.getcwd", cwd=tmp_path)
    assert other.code == 2
    again = dagger(*words, "trust=[my_lights]", cwd=tmp_path)
    assert (again.code, again.err) == (0, "")
    assert [row["round"] for row in metrics(tmp_path / "run")] == [1, 2, 3]


@pytest.mark.parametrize(
    "name",
    [
        *("with space", "it's", "a=b,c", "ü", "x\\'", 'a"b', "a\nresume  dagger"),
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("(x)", "~x", "null", "expert", "1_0")),
    ],
)
def test_the_printed_commands_work_for_any_folder_name(tmp_path, name):
    run = train("rounds=1", cwd=tmp_path, run=hydra_quoted(name)).parent / name
    commands = summary(run)["commands"]
    for key in ("evaluate", "resume"):
        assert "\n" not in commands[key]
        shell = ["bash", "-c", f"printf '%s\\0' {commands[key]}"]
        printed = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
        program, *words = printed.split("\0")[:-1]
        done = dagger(*words, cwd=tmp_path)
        assert program == "dagger" and (done.code, done.err) == (0, ""), (key, done.err)


@pytest.mark.parametrize(
    ("words", "policy", "rounds"),
    [
        ("env=mario", "scene", "40"),
        ("env=mario seed=3 rounds=7", "scene", "7"),
        ("env=mario policy=mlp", "mlp", "20"),
        ("experiment=mario_paper", "sparse_svm", "20"),
    ],
)
def test_an_environment_is_at_its_best_unless_something_else_is_chosen(
    words, policy, rounds, tmp_path
):
    shown = dagger("train", *words.split(), "--cfg", "job", "--resolve", cwd=tmp_path).out
    config = OmegaConf.create(shown)
    assert (config.policy.name, str(config.rounds)) == (policy, rounds)


def test_what_environments_name_as_their_best_exists():
    named = {best_experiment(name) for name in options()["env"]} - {None}
    assert named and named <= set(options()["experiment"])
    assert best_experiment("no_such") is None
