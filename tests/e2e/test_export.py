"""`dagger export`: exported policies return the same actions in other programs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Observation, Policy, Space
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.modules import initialise, mlp
from dagger_cli.networks.spec import Layer
from dagger_cli.networks.spec_modules import spec_of
from dagger_cli.policies.glyphs import glyphs_learner
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.scene import scene_learner
from dagger_cli.policies.sources import cnn_learner
from dagger_cli.policies.sparse_svm import SparseSvmLearner
from dagger_cli.policies.svm import SvmLearner
from dagger_cli.policies.torch_policy import TorchPolicy
from dagger_cli.publish.graph import checked, observations, to_onnx, to_torchscript
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


def student(
    actions: Space, activation: str = "relu", sizes: tuple[int, ...] = (16, 8)
) -> TorchPolicy:
    """A student with random numbers."""
    generator, head = torch.Generator().manual_seed(0), make_head(actions, "auto")
    network = mlp(FLAT, head.outputs, sizes, activation)
    initialise(network, generator)
    network[0].take(3 + 2 * torch.randn(50, 5, generator=generator))
    return TorchPolicy(network.eval(), head, ())


def agent_of(policy: TorchPolicy, actions: Space) -> Agent:
    return Agent(*spec_of(policy.network, FLAT, actions), {})


def seen(policy: TorchPolicy, n: int = 1000) -> np.ndarray:
    """Observations within the ten deviations that a student can tell apart."""
    return observations(policy.as_module(), FLAT, n)


def act(policy: Policy, obs: np.ndarray) -> np.ndarray:
    view = Observation(obs, np.zeros(len(obs), np.int64))
    return policy.act(view, np.random.default_rng(0)).actions


SB3 = [
    (ARM, "relu", (16, 8)), (ARM, "tanh", ()), (ARM, "gelu", (16,)), (FOUR, "silu", (16, 8)),
    (FOUR, "tanh", ()), (MULTI, "elu", (16,)), (BITS, "relu", (16,)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("actions", "activation", "sizes"), SB3)
def test_sb3_predicts_the_students_actions(actions, activation, sizes, tmp_path):
    import stable_baselines3

    policy = student(actions, activation, sizes)
    archive = to_sb3(agent_of(policy, actions))
    assert archive.algo == ("td3" if actions is ARM else "ppo")
    (tmp_path / "student.zip").write_bytes(archive.data)
    algorithm = getattr(stable_baselines3, archive.algo.upper())
    model = algorithm.load(tmp_path / "student.zip", device="cpu")
    obs = seen(policy)
    ours, (theirs, _) = act(policy, obs), model.predict(obs, deterministic=True)
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
        ({"action_space": LATE}, "actions that start at 1"),
        ({"observation_space": IMAGE}, "needs numeric Box observations"),
        ({"observation_space": Space("discrete", (), "int64", sizes=(5,))}, "needs numeric"),
        ({"layers": (Layer("Conv2d"),)}, "not cnn"),
    ],
)
def test_sb3_refuses_what_it_cannot_hold(change, sentence):
    from dataclasses import replace

    from dagger_cli.core.errors import ExpertError

    actions = change.get("action_space", FOUR)
    agent = agent_of(student(actions), actions)
    with pytest.raises(ExpertError, match=sentence):
        to_sb3(agent._replace(spec=replace(agent.spec, **change)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("actions", [ARM, pytest.param(MULTI, marks=pytest.mark.slow)])
def test_onnx_gives_the_students_actions(actions):
    onnxruntime = pytest.importorskip("onnxruntime")
    policy = student(actions)
    data, told = to_onnx(policy, FLAT, actions)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for n in (1, 7, 1000):
        obs = seen(policy, n)
        given, outputs = session.run(["actions", "outputs"], {"observations": obs})
        assert given.shape == (n, *actions.shape) and told <= 1e-5
        np.testing.assert_allclose(outputs, policy.outputs(obs), atol=1e-5, rtol=1e-5)
        if actions.kind == "box":
            np.testing.assert_allclose(given, act(policy, obs), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("actions", [ARM, HALF, FOUR, LATE, MULTI, BITS])
def test_torchscript_gives_the_students_actions(actions, tmp_path):
    policy = student(actions, "gelu")
    data, told = to_torchscript(policy, FLAT, actions)
    (tmp_path / "student.pt").write_bytes(data)
    loaded = torch.jit.load(tmp_path / "student.pt")
    obs = seen(policy, 100)
    given, outputs = loaded(torch.from_numpy(obs))
    assert given.shape == (100, *actions.shape) and told <= 1e-5
    np.testing.assert_allclose(given.detach(), act(policy, obs), atol=1e-5)
    np.testing.assert_allclose(outputs.detach(), policy.outputs(obs), atol=1e-5, rtol=1e-5)


FIT = {
    "optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 16,
    "epochs": None, "gradient_steps": 3, "warm_start": True, "decay": True, "threads": 1,
}  # fmt: skip
LETTERS = Space("box", (4 * 4 * 2 + 4,), "float32", (0.0,) * 36, (1.0,) * 36)
BYTES = Space("box", (9,), "uint8", (0.0,) * 9, (255.0,) * 9)
LAYOUT = {
    "cells": 2, "flags": 1, "measures": 2, "things": 2, "thing_measures": 1, "thing_flags": 1,
}  # fmt: skip


def cnn_policy():
    return cnn_learner(IMAGE, ARM, loss="auto", **FIT), IMAGE, ARM


def glyphs_policy():
    keys = {"code": 5, "sizes": [6], "dropout": 0.3, "shift": 1, "loss": "auto", **FIT}
    learner = glyphs_learner(LETTERS, FOUR, image=[4, 4], history=1, encoder="conv", **keys)
    return learner, LETTERS, FOUR


def scene_policy():
    keys = {"code": 5, "sizes": [6], "unsafe_penalty": 0.0, **FIT}
    return scene_learner(BYTES, BITS, layout=LAYOUT, **keys), BYTES, BITS


def svm_policy(reduction, decode):
    keys = {"regularization": 1e-4, "learning_rate": 0.05, "row_visits": 200}
    chosen = {"reduction": reduction, "decode": decode}
    return SvmLearner(observations=FLAT, actions=LATE, **chosen, **keys), FLAT, LATE


def sparse_policy():
    keys = {"regularization": 1e-2, "passes": 2}
    return SparseSvmLearner(observations=BYTES, actions=BITS, **keys), BYTES, BITS


OTHERS = {
    "cnn": cnn_policy,
    "glyphs": glyphs_policy,
    "scene": scene_policy,
    "pairs by margin": lambda: svm_policy("all_pairs", "margins"),
    "pairs by votes": lambda: svm_policy("all_pairs", "votes"),
    "one versus rest": lambda: svm_policy("one_vs_rest", "votes"),
    "sparse_svm": sparse_policy,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", ["torchscript", pytest.param("onnx", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", OTHERS)
def test_every_policy_that_is_one_function_is_exported(name, format):
    if format == "onnx":
        pytest.importorskip("onnxruntime")
    learner, observed, played = OTHERS[name]()
    rng = np.random.default_rng(0)
    module = torch.nn.Identity()  # without statistics of observations
    obs = observations(module, observed, 60)
    if played.kind == "box":
        labels = rng.uniform(played.low, played.high, (60, *played.shape))
    else:
        labels = played.start + rng.integers(0, played.sizes[0], (60, *played.shape))
    data = Dataset(obs, np.zeros(60, np.int64), labels.astype(played.dtype), (60,))
    policy = learner.fit(data, None, rng).policy
    written, told = (to_onnx if format == "onnx" else to_torchscript)(policy, observed, played)
    assert told <= 1e-5 and len(written) > 100
    # `told` says nothing of choices.
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
        given = session.run(["actions"], {"observations": obs})[0]
    else:
        given = torch.jit.load(io.BytesIO(written))(torch.from_numpy(obs))[0].numpy()
    np.testing.assert_allclose(given, act(policy, obs), atol=1e-5)


def test_a_wrong_export_is_not_written():
    from dagger_cli.core.errors import ExpertError

    policy = student(ARM)
    with pytest.raises(ExpertError, match="differs from the policy"):
        checked(
            policy,
            Observation(obs := seen(policy), np.zeros(len(obs), np.int64)),
            ARM,
            (act(policy, obs) + 1e-3, policy.outputs(obs)),
            "onnxruntime",
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train("rounds=2", cwd=tmp_path_factory.mktemp("exported"))


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
    assert re.search(r"onnxruntime differs from the policy by at most \S+e-\d+", done.out)


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
    assert done.code == 2 and "has a mixture of several policies" in done.err
