"""`dagger export`: other programs give the student's own actions."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from dagger_cli.core.types import Space
from dagger_cli.experts.student import Student, student_agent
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.network import Network
from dagger_cli.networks.spec import Head, Layer, Spec
from dagger_cli.publish.graph import observations, to_onnx, to_torchscript
from dagger_cli.publish.sb3 import to_sb3

from .running import dagger, train

FLAT = Space("box", (5,), "float32", (-np.inf,) * 5, (np.inf,) * 5)
ARM = Space("box", (2,), "float32", (-2.0, -1.0), (2.0, 3.0))
FREE = Space("box", (2,), "float32", (-np.inf,) * 2, (np.inf,) * 2)
HALF = Space("box", (2,), "float32", (-1.0, -np.inf), (1.0, np.inf))
FOUR = Space("discrete", (), "int64", sizes=(4,))
LATE = Space("discrete", (), "int64", sizes=(4,), start=1)
MULTI = Space("multi_discrete", (3,), "int64", sizes=(3, 2, 4))
BITS = Space("multi_binary", (3,), "int8", sizes=(2, 2, 2))
IMAGE = Space("box", (36, 36, 3), "uint8", (0.0,) * 3888, (255.0,) * 3888)


def student(actions: Space, activation: str = "ReLU", sizes: tuple[int, ...] = (16, 8)) -> Agent:
    """A student with random numbers, as `policies` would have made it."""
    rng = np.random.default_rng(0)
    layers, width = [Layer("Standardise")], FLAT.size
    weights = {"layers.0.mean": rng.normal(3, 2, 5), "layers.0.std": rng.uniform(0.5, 2, 5)}
    outputs = actions.size if actions.kind == "box" else sum(actions.sizes)
    for i, size in enumerate((*sizes, outputs)):
        place = f"layers.{len(layers)}"
        weights[f"{place}.weight"] = rng.normal(0, 1.5 / np.sqrt(width), (size, width))
        weights[f"{place}.bias"] = rng.normal(0, 0.1, size)
        layers += [Layer("Linear")] + ([Layer(activation)] if i < len(sizes) else [])
        width = size
    head = Head("scaled" if actions.kind == "box" else "categorical")
    arrays = {name: value.astype(np.float32) for name, value in weights.items()}
    return Agent(Spec(FLAT, actions, tuple(layers), head, double=True), arrays, {})


def seen(agent: Agent, n: int = 1000) -> np.ndarray:
    """Observations within the ten deviations that a student can tell apart."""
    return observations(agent, n)


SB3 = [
    (ARM, "ReLU", (16, 8)), (ARM, "Tanh", ()), (ARM, "GELU", (16,)), (FOUR, "SiLU", (16, 8)),
    (FOUR, "Tanh", ()), (MULTI, "ELU", (16,)), (BITS, "ReLU", (16,)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("actions", "activation", "sizes"), SB3)
def test_sb3_predicts_the_students_actions(actions, activation, sizes, tmp_path):
    import stable_baselines3

    agent = student(actions, activation, sizes)
    archive = to_sb3(agent)
    assert archive.algo == ("td3" if actions is ARM else "ppo")
    (tmp_path / "student.zip").write_bytes(archive.data)
    algorithm = getattr(stable_baselines3, archive.algo.upper())
    model = algorithm.load(tmp_path / "student.zip", device="cpu")
    obs = seen(agent)
    ours, (theirs, _) = (
        Network(agent.spec, agent.weights).act(obs, None),
        model.predict(obs, deterministic=True),
    )
    assert theirs.shape == ours.shape
    if actions.kind == "box":
        np.testing.assert_allclose(theirs, ours, atol=2e-5)
    else:  # but where two choices are equal to the last digit
        assert (theirs != ours).reshape(len(obs), -1).any(axis=1).mean() <= 0.002


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"action_space": HALF}, "needs actions with finite bounds"),
        ({"action_space": FREE}, "needs actions with finite bounds"),
        ({"action_space": LATE}, "actions that begin at 1"),
        ({"observation_space": IMAGE}, "needs numbers as observations"),
        ({"observation_space": Space("discrete", (), "int64", sizes=(5,))}, "needs numbers"),
        ({"layers": (Layer("Conv2d"),)}, "not cnn"),
    ],
)
def test_sb3_refuses_what_it_cannot_hold(change, sentence):
    from dataclasses import replace

    from dagger_cli.core.errors import ExpertError

    agent = student(change.get("action_space", FOUR))
    with pytest.raises(ExpertError, match=sentence):
        to_sb3(agent._replace(spec=replace(agent.spec, **change)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("actions", [ARM, pytest.param(MULTI, marks=pytest.mark.slow)])
def test_onnx_gives_the_students_actions(actions):
    onnxruntime = pytest.importorskip("onnxruntime")
    agent = student(actions)
    data, told = to_onnx(agent)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for n in (1, 7, 1000):
        obs = seen(agent, n)
        given, outputs = session.run(["actions", "outputs"], {"observations": obs})
        network = Network(agent.spec, agent.weights)
        assert given.shape == (n, *actions.shape) and told <= 1e-5
        np.testing.assert_allclose(outputs, network.outputs(obs), atol=1e-5, rtol=1e-5)
        if actions.kind == "box":
            np.testing.assert_allclose(given, network.act(obs, None), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("actions", [ARM, HALF, FOUR, BITS])
def test_torchscript_gives_the_students_actions(actions, tmp_path):
    agent = student(actions, "GELU")
    data, told = to_torchscript(agent)
    (tmp_path / "student.pt").write_bytes(data)
    loaded = torch.jit.load(tmp_path / "student.pt")
    obs = seen(agent, 100)
    given, outputs = loaded(torch.from_numpy(obs))
    network = Network(agent.spec, agent.weights)
    assert given.shape == (100, *actions.shape) and told <= 1e-5
    np.testing.assert_allclose(outputs.detach(), network.outputs(obs), atol=1e-5, rtol=1e-5)


def test_a_wrong_export_is_not_written():
    from dagger_cli.core.errors import ExpertError
    from dagger_cli.publish.graph import _checked

    agent = student(ARM)
    network = Network(agent.spec, agent.weights)

    def wrong(obs):
        return network.act(obs, None) + 1e-3, network.outputs(obs)

    with pytest.raises(ExpertError, match="gives other actions"):
        _checked(agent, wrong, "onnxruntime")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train("rounds=2", cwd=tmp_path_factory.mktemp("exported"))


def test_the_rebuilt_student_has_the_bits_of_the_policy(run):
    """experts/student.py rebuilds what policies/ made without knowing it."""
    import gymnasium

    from dagger_cli.core.types import Observation
    from dagger_cli.envs.spaces import to_space
    from dagger_cli.policies.sources import mlp_learner
    from dagger_cli.tracking.checkpoint import load_policy, read_manifest

    env = gymnasium.make("CartPole-v1")
    spaces = (
        to_space(env.observation_space, role="observation", env_id="CartPole-v1"),
        to_space(env.action_space, role="action", env_id="CartPole-v1"),
    )
    checkpoint = (run / "checkpoints" / "best").resolve()
    config = {
        key: value
        for key, value in read_manifest(checkpoint).config["policy"].items()
        if key not in ("_target_", "name")
    }
    policy = load_policy(checkpoint, mlp_learner(*spaces, **config), spaces[1])
    agent = student_agent(Student(checkpoint), *spaces)
    obs = 2 * np.random.default_rng(0).standard_normal((500, 4)).astype(np.float32)
    theirs = policy.network.double()(torch.from_numpy(obs)).detach().numpy()
    network = Network(agent.spec, agent.weights)
    np.testing.assert_array_equal(network.outputs(obs), theirs)
    observation = Observation(obs, np.zeros(500, np.int64))
    acts = policy.act(observation, np.random.default_rng(0)).actions
    np.testing.assert_array_equal(network.act(obs, None), acts)


def test_export_writes_the_three_formats(run, tmp_path):
    for format, path in (("sb3", "out/s.zip"), ("torchscript", "s.pt")):
        words = (f"checkpoint={run}", f"format={format}", f"path={path}")
        done = dagger("export", *words, cwd=tmp_path)
        assert (done.code, done.err) == (0, "") and f"written     {path}" in done.out
        assert [p.name for p in (tmp_path / path).parent.iterdir() if p.name.startswith(".")] == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.load(tmp_path / "s.pt")


@pytest.mark.slow
def test_rl_zoo_plays_the_folder_unchanged(run, tmp_path):
    done = dagger("export", f"checkpoint={run}", "format=sb3", "path=zoo", cwd=tmp_path)
    words = re.search(r"python (-m rl_zoo3.enjoy .*)", done.out)[1].split()
    command = [sys.executable, *words, "--no-render", "-n", "600", "--device", "cpu"]
    played = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert played.returncode == 0, played.stderr[-500:]
    assert "Episode Reward:" in played.stdout or "Mean reward" in played.stdout


@pytest.mark.slow
def test_onnx_from_the_command_line(run, tmp_path):
    pytest.importorskip("onnxruntime")
    words = (f"checkpoint={run}", "format=onnx", "path=s.onnx")
    done = dagger("export", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and (tmp_path / "s.onnx").stat().st_size > 1000
    assert re.search(r"onnxruntime differs from the student by \S+e-\d+", done.out)


WRONG = {
    "format=tf path=x": r"format must be sb3, onnx, torchscript; got 'tf'",
    "format=onnx path=x.zip": r"path must end in .onnx for format=onnx; got 'x.zip'",
    "format=sb3 path=x.onnx": r"path must end in .zip for format=sb3, or be a folder",
    "format=onnx": r"path needs a value",
    "path=x.pt": r"format needs a value",
    "format=torchscript path=file/x.pt": r"cannot write to file/x.pt",
    "format=sb3 path=x.zip checkpoint=gone": r"there is no run or checkpoint at gone",
}


@pytest.mark.parametrize("words", WRONG)
def test_one_sentence(words, run, tmp_path):
    (tmp_path / "file").touch()
    done = dagger("export", f"checkpoint={run}", *words.split(), cwd=tmp_path)
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert re.search(WRONG[words], done.err), done.err
    assert sorted(Path(tmp_path).iterdir()) == [tmp_path / "file"]


def test_without_the_extra_it_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    words = (f"checkpoint={run}", "format=onnx", "path=x.onnx")
    done = dagger("export", *words, cwd=tmp_path)
    assert done.code == 2 and "pip install 'dagger-cli[export]'" in done.err


def test_mixtures_are_refused(tmp_path):
    mixture = train("trainer=smile", "rounds=2", cwd=tmp_path)
    words = (f"checkpoint={mixture}/last", "format=sb3", "path=x.zip")
    done = dagger("export", *words, cwd=tmp_path)
    assert done.code == 2 and "holds a mixture of several policies" in done.err
