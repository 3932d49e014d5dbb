"""The package in examples/ goes through every command, and so do parts of the current folder."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dagger_cli.tracking.manifest import read_manifest, write_manifest
from tests.experts.hub_server import TOKEN, serving
from tests.trust.running import Commands

PLUGIN = Path(__file__).parents[2] / "examples" / "dagger_plugin"
OWN = (
    *("env=point", "expert=point_controller", "policy=tiny", "trainer=lazy_dagger", "beta=sqrt"),
    "logger=[console,jsonl,lines]",
)
SERVERS: list[Commands] = []
PARTS = {
    "env": "dagger_plugin.env.point",
    "expert": "dagger_plugin.expert.ControllerSource",
    "policy": "dagger_cli.policies.sources.torch_learner",
    "trainer": "dagger_plugin.trainer.LazyDAgger",
}


@pytest.fixture(scope="module", autouse=True)
def server():
    """A process that has imported this package, whose forks run the commands without variables."""
    with Commands(str(PLUGIN), COLUMNS="100") as one:
        SERVERS.append(one)
        yield
        SERVERS.pop()


def dagger(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with the plug-in on its path as if installed."""
    if not environ:
        done = SERVERS[0].run(words, cwd, timeout=120)
        return subprocess.CompletedProcess(words, done.code, done.out, done.err)
    path = os.pathsep.join([str(PLUGIN), *sys.path])
    given = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **environ}
    command = [sys.executable, "-m", "dagger_cli", *words]
    return subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, timeout=120)


def works(*words: str, cwd: Path, **environ: str) -> str:
    done = dagger(*words, cwd=cwd, **environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which a run of the plug-in's parts has ended."""
    folder = tmp_path_factory.mktemp("plugin")
    works("train", *OWN, "hydra.run.dir=run", "rounds=3", cwd=folder)
    return folder


def commands(run: Path) -> dict[str, str]:
    printed: dict[str, str] = json.loads((run / "summary.json").read_text())["commands"]
    return printed


def test_every_part_is_the_plugins(trained):
    config = yaml.safe_load((trained / "run" / "config.yaml").read_text())
    assert {group: config[group]["_target_"] for group in PARTS} == PARTS
    assert config["policy"]["network"]["_target_"] == "dagger_plugin.policy.TinyNet"
    assert config["trainer"]["beta"]["_target_"] == "dagger_plugin.schedule.Sqrt"
    assert len((trained / "run" / "lines.txt").read_text().splitlines()) == 3


def test_the_printed_commands_work(trained):
    evaluate = shlex.split(commands(trained / "run")["evaluate"])
    assert "trust=[dagger_plugin]" in evaluate
    works(*evaluate[1:], "json=scores.json", cwd=trained)
    scores = json.loads((trained / "scores.json").read_text())
    ended = json.loads((trained / "run" / "summary.json").read_text())
    assert scores["mean"] == ended["student"]["mean"]


def test_without_trust_nothing_of_it_is_imported(trained):
    for words in (
        ("eval", "checkpoint=run"),
        ("train", "resume=run", "rounds=4"),
        ("export", "checkpoint=run", "format=torchscript", "path=refused.pt"),
    ):
        done = dagger(*words, cwd=trained)
        assert done.returncode == 2 and "add trust=[dagger_plugin]" in done.stderr
    assert not (trained / "refused.pt").exists()


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("policy.network", "dagger_plugin.trainer.np.save"),  # a module that it imports
        ("policy.network", "dagger_plugin.env.GymSource"),  # a class of ours that imports modules
        ("trainer", "dagger_plugin.trainer.rollout"),
        ("expert", "dagger_plugin.expert.np.load"),
        ("trainer.beta", "dagger_plugin.schedule.dataclass"),
    ],
)
def test_trust_is_in_what_a_package_defines_not_in_all_it_imports(trained, tmp_path, place, target):
    shutil.copytree(trained / "run", tmp_path / "run", symlinks=True)
    for name in ("best", "last"):
        checkpoint = (tmp_path / "run" / "checkpoints" / name).resolve()
        manifest = read_manifest(checkpoint)
        config = json.loads(json.dumps(dict(manifest.config)))
        node = config
        for part in place.split("."):
            node = node[part]
        node["_target_"] = target
        write_manifest(checkpoint, dataclasses.replace(manifest, config=config))
    done = dagger("train", "resume=run", "rounds=4", "trust=[dagger_plugin]", cwd=tmp_path)
    assert done.returncode == 2 and f"names '{target}', which is defined in" in done.stderr


def test_a_resumed_run_equals_an_uninterrupted_one(trained, tmp_path):
    works("train", *OWN, "hydra.run.dir=half", "rounds=2", cwd=tmp_path)
    resume = shlex.split(commands(tmp_path / "half")["resume"])
    works(*resume[1:], "rounds=3", cwd=tmp_path)
    policies = [
        folder / "checkpoints" / "last" / "policy.safetensors"
        for folder in (tmp_path / "half", trained / "run")
    ]
    assert policies[0].read_bytes() == policies[1].read_bytes()
    assert len((tmp_path / "half" / "lines.txt").read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_sweep(tmp_path):
    text = works("train", "-m", *OWN, "rounds=1", "seed=0,1", "trainer.every=1", cwd=tmp_path)
    assert "seed=0" in text and "seed=1" in text


@pytest.mark.slow
def test_it_is_exported_and_teaches(trained):
    words = ("export", "checkpoint=run", "format=torchscript", "path=tiny.pt")
    works(*words, "trust=[dagger_plugin]", cwd=trained)
    assert (trained / "tiny.pt").is_file()
    taught = ("env=point", "expert=path", "expert.path=run", "trust=[dagger_plugin]")
    works("train", *taught, "rounds=1", "hydra.run.dir=second", cwd=trained)


@pytest.mark.slow
def test_it_is_pushed_and_teaches_from_there(trained, tmp_path):
    with serving() as hub:
        hub.storage = tmp_path / "stored"
        online = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home")}
        pushed = dagger("push", "checkpoint=run", "repo_id=me/point", cwd=trained, **online)
        assert pushed.returncode == 0, pushed.stderr
        assert "expert=hub expert.repo_id=me/point trust=[dagger_plugin]" in pushed.stdout
        words = ("expert", "score", "env=point", "expert=hub", "expert.repo_id=me/point")
        refused = dagger(*words, "episodes=2", cwd=tmp_path, **online)
        assert refused.returncode == 2 and "trust=[dagger_plugin]" in refused.stderr
        taken = dagger(*words, "episodes=2", "trust=[dagger_plugin]", cwd=tmp_path, **online)
        assert taken.returncode == 0, taken.stderr


def test_help_and_completion_list_it(tmp_path):
    text = works("--help", cwd=tmp_path)
    for option in ("point", "point_controller", "tiny", "lazy_dagger", "sqrt", "lines"):
        assert option in text
    offered = works("-sc", "query=bash", cwd=tmp_path, COMP_LINE="dagger train trainer=la")
    assert offered.split() == ["trainer=lazy_dagger"]


def test_its_configs_are_found_by_a_search_path_too(tmp_path):
    for words in (
        ("hydra.searchpath=[pkg://dagger_plugin.conf]",),
        ("--config-dir", str(PLUGIN / "dagger_plugin" / "conf")),
    ):
        shown = dagger("train", *words, "trainer=lazy_dagger", "--cfg", "job", cwd=tmp_path)
        assert shown.returncode == 0 and "LazyDAgger" in shown.stdout, shown.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("trainer=lazy_dagger trainer.every=often", "trainer.every must be a whole number, got"),
        ("trainer=lazy_dagger trainer.every=0", "trainer.every must be at least 1, got 0"),
        ("trainer=lazy_dagger trainer.evry=2", "there is no key 'trainer.evry'"),
        ("policy=tiny policy.network.width=wide", "policy.network.width must be a whole number"),
        ("expert=point_controller env=cartpole", "point_controller is for Point-v0"),
        ("trainer=lazy_dager", "did you mean 'lazy_dagger'?"),
    ],
)
def test_wrong_values_end_in_the_same_sentences_as_for_options_that_ship(tmp_path, words, sentence):
    done = dagger("train", "env=point", "expert=point_controller", *words.split(), cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert sentence in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "policy.loss._target_=torch.nn.L1Loss",
        "policy.loss._target_=torch.nn.functional.l1_loss",
        "policy.optimizer._target_=torch.optim.RMSprop",
    ],
)
def test_losses_and_optimizers_of_torch_need_no_trust(tmp_path, words):
    small = ("env=pendulum", "expert=bundled", "env.max_episode_steps=30", "rounds=1")
    short = ("steps_per_round=60", "policy.gradient_steps=5", "evaluation.episodes=2")
    works("train", *small, *short, words, "hydra.run.dir=run", cwd=tmp_path)
    printed = commands(tmp_path / "run")
    assert "trust" not in printed["resume"]
    works(*shlex.split(printed["evaluate"])[1:], cwd=tmp_path)


@pytest.mark.parametrize("target", ["torch.abs", "dagger_cli.loop.rollout.rollout"])
def test_what_no_checkpoint_could_load_is_refused_before_it_is_trained(tmp_path, target):
    done = dagger("train", "env=cartpole", f"policy.loss._target_={target}", cwd=tmp_path)
    assert done.returncode == 2 and "could not be loaded from this run's checkpoints" in done.stderr
    assert not list(tmp_path.iterdir())
