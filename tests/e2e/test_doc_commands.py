"""Commands in README.md and docs/ run, page by page, with small settings."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from tests.conftest import ROOT
from tests.experts.hub_server import serving

from .doc_commands import Command, commands, small, unquoted, write_files
from .running import dagger, train

# What is not run here, and why.
LEFT_OUT = {
    r"^tb\b": "serves until it is stopped (tests/report has its words)",
    r"expert=human": "waits for a person (tests/human has scripted ones)",
    r"submitit_slurm|launcher=ray|labeller=ray": "needs a cluster (tests/e2e/test_launchers.py)",
    r"^bench\b": "all trainers on all tasks: hours (tests/report/test_bench.py runs a small set)",
    r"hparams_search=": "searches for an hour (tests/e2e/test_search.py)",
    r"^runs --json .*; do$|; do$": "the head of a loop of the shell",
    r"letter\.data\.gz": "needs the letters of a server (tests/handwriting has them)",
    r"expert=zoo|expert=train": "trains with rl_zoo3, or needs its folder (tests/experts)",
    r"env=atari": "its agent is not among the shared ones",
    r"env=<env>|agent\.zip|^data push|repo_id=": "stands for a name of yours",
    r"answer run|ask run=|resume=by_file|answers\.|expert=file": "a dialogue (tests/data runs it)",
    r"lazy_dagger": "an example of a name",
    r"env=dataset|expert=dataset|demonstrations=|^data show": "in tests/data, on files of its own",
}
NEEDS = {  # words of a command: the package of an extra
    r"launcher=joblib": "hydra_plugins.hydra_joblib_launcher",
    r"format=onnx": "onnxruntime",
    r"format=(parquet|lerobot)": "pyarrow",
    r"format=minari": "minari",
}
NOT_SHARED = r"original_walker|env=halfcheetah view"  # their agents of the Hub are not shared
MODULES = {
    "my_module.py": """
import numpy as np
class Model:
    def predict(self, observation, state=None):
        return int(observation[2] > 0), None
model = Model()
def act(observation):
    return np.zeros(2, np.float32)
def teacher(observation):
    return np.clip([-2.0 * observation[1]], -2, 2)
""",
    "my_envs.py": """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv
gym.register("MyEnv-v0", lambda **keys: CartPoleEnv(**keys), max_episode_steps=60)
def expert(observation):
    return int(observation[2] + observation[3] > 0)
act = expert
""",
    "my_pkg.py": """
import my_envs
from torch import nn
class Net(nn.Sequential):
    def __init__(self, inputs, outputs, width):
        super().__init__(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))
ask = my_envs.expert
""",
}
PAGES = sorted({command.page for command in commands()})


def why_not(command: Command) -> str | None:
    """Returns why a command is not run here, None where it is."""
    for pattern, reason in LEFT_OUT.items():
        if re.search(pattern, command.line):
            return reason
    for pattern, package in NEEDS.items():
        if re.search(pattern, command.line) and not _installed(package):
            return f"{package} is not installed"
    return None


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # its parent
        return False


def prepare(words: list[str], made: Path, folder: Path) -> list[str]:
    """Puts a finished run, or sweep, where the words name one that a reader would have."""
    words = [re.sub(r"=RUN$", "=outputs/RUN", word) for word in words]
    if words[0] != "train" and not (folder / "outputs").exists():  # a page that trains nothing
        shutil.copytree(made / "run", folder / "outputs/cartpole/dagger/first", symlinks=True)
    for word in words:
        for name in re.findall(r"outputs/[\w/.<>-]+", word):
            path = folder / name.removesuffix("/last")
            if path.exists():
                continue
            sweep = "SWEEP" in name or "<sweep>" in name or name.count("/") < 3
            kind = "sweep" if sweep and "RUN" not in name else "run"
            kind = "letters" if "handwriting" in name else kind
            shutil.copytree(made / kind, path, symlinks=True)
    return words


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny run, a sweep and a run on letters."""
    folder = tmp_path_factory.mktemp("made")
    train(cwd=folder)
    sweep = ["trainer=sup,dagger", "seed=0,1", "env.max_episode_steps=60", "hydra.sweep.dir=sweep"]
    command = Command("", ("train", "-m", "env=cartpole", "expert=bundled", *sweep[:1], *sweep[2:]))
    assert dagger(*small(command.words), "seed=0,1", cwd=folder).code == 0
    letters = ("train", "env=handwriting", "env.data=synthetic", "policy=svm")
    assert dagger(*small(letters), "hydra.run.dir=letters", cwd=folder).code == 0
    return folder


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """The address of a Hub with the shared agents; the library reads it once in a process."""
    agents = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared")) / "hub" / "sb3"
    with serving() as server:
        for agent in sorted(agents.iterdir()) if agents.is_dir() else ():
            server.add(f"sb3/{agent.name}", agent)
        yield server.url


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # as a user has them: Gymnasium warns of old versions
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page, made, hub, shared, tmp_path, monkeypatch):
    write_files(page, tmp_path)
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    failed, ran = [], 0
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for command in (c for c in commands() if c.page == page and why_not(c) is None):
        words = prepare(small(command.words), made, tmp_path)
        if words[0] == "train" and "handwriting" in command.line and "env.data" not in command.line:
            words.append(f"env.data={shared / 'ocr' / 'letter.data.gz'}")
        if re.search(NOT_SHARED, command.line):
            words.append("expert=bundled")
        done = dagger(*words, cwd=tmp_path, HF_ENDPOINT=hub)
        _forget_modules()
        ran += 1
        if done.code != 0:
            failed.append(f"dagger {' '.join(words)}: {done.err.strip()[-400:]}")
    assert not failed, "\n".join(failed)
    print(f"{page}: {ran} commands")


def _forget_modules() -> None:
    """Makes the next page's modules of these names be imported anew."""
    for name in ("my_module", "my_envs", "my_pkg", "my_world", "my_trainer"):
        sys.modules.pop(name, None)
    for id in ("MyEnv-v0", "Corridor-v0"):
        gymnasium.registry.pop(id, None)


def test_most_commands_are_run_and_the_others_have_a_reason():
    unexplained = [pattern for pattern in LEFT_OUT if not any(
        re.search(pattern, command.line) for command in commands()
    )]  # fmt: skip
    assert unexplained == [], "a reason that no command needs"
    run = sum(why_not(command) is None for command in commands())
    assert run >= len(commands()) / 2, f"{run} of {len(commands())}"


def test_words_with_brackets_are_quoted():
    assert unquoted() == []
