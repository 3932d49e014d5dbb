"""`policy=torch`: user-defined modules, losses and optimizers; any policy as an expert."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from .running import TINY, dagger

OWN = [word for word in TINY if not word.startswith("policy.sizes")] + ["policy=torch"]
PACKAGE = "trust=[own_networks]"


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """The user's module lies in the folder that the command runs in."""
    shutil.copy(Path(__file__).with_name("own_networks.py"), tmp_path)
    yield
    sys.modules.pop("own_networks", None)


def train(*words: str, cwd: Path, name: str = "run") -> Path:
    done = dagger("train", *OWN, *words, f"hydra.run.dir={name}", cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    return cwd / name


def own(name: str) -> str:
    return f"policy.network._target_=own_networks.{name}"


CHOICES = {
    "module": [own("Net"), "policy.network.width=6"],
    "sequential": [own("Plain")],
    "loss and optimizer": [
        own("Net"),
        "policy.loss._target_=own_networks.doubled",
        "policy.optimizer._target_=torch.optim.RMSprop",
        "policy.optimizer.momentum=0.5",
    ],
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "loss and optimizer" else pytest.mark.slow)
        for name in CHOICES
    ],
)
@pytest.mark.slow
def test_a_resumed_run_equals_one_that_never_stopped(name, tmp_path):
    words = [*CHOICES[name], "beta=exponential"]  # which does not depend on the number of rounds
    whole = train(*words, cwd=tmp_path, name="whole")
    parts = train(*words, "rounds=2", cwd=tmp_path, name="parts")
    done = dagger("train", "resume=parts", "rounds=3", PACKAGE, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for file in ("policy", "env"):
        kept = f"checkpoints/last/{file}.safetensors"
        ours, theirs = load_file(whole / kept), load_file(parts / kept)
        assert ours.keys() == theirs.keys()
        assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)


@pytest.mark.slow
def test_it_is_evaluated_exported_and_teaches_where_it_is_trusted(tmp_path):
    train(own("Net"), "rounds=1", cwd=tmp_path)
    expert = ("env=cartpole", "expert=path", "expert.path=run", "episodes=2")
    commands = [
        ("eval", "checkpoint=run", "episodes=2"),
        ("export", "checkpoint=run", "format=torchscript", "path=net.pt"),
        ("expert", "score", *expert),
    ]
    for command in commands:
        refused = dagger(*command, cwd=tmp_path)
        assert refused.code == 2 and "add trust=[own_networks]" in refused.err
        done = dagger(*command, PACKAGE, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    assert (tmp_path / "net.pt").is_file()
    done = dagger("export", "checkpoint=run", "format=sb3", "path=x.zip", PACKAGE, cwd=tmp_path)
    assert done.code == 2 and "format=sb3 supports networks of policy=mlp and linear" in done.err


@pytest.mark.slow
def test_a_loss_of_ones_own_replaces_ours(tmp_path):
    ours = train(own("Plain"), "rounds=1", "policy.loss=cross_entropy", cwd=tmp_path, name="a")
    words = ("policy.loss._target_=own_networks.doubled", "policy.optimizer=sgd")
    theirs = train(own("Plain"), "rounds=1", *words, cwd=tmp_path, name="b")
    half = ("policy.optimizer=sgd", "policy.learning_rate=2e-3")
    same = train(own("Plain"), "rounds=1", *half, cwd=tmp_path, name="c")
    files = [load_file(r / "checkpoints/last/policy.safetensors") for r in (ours, theirs, same)]
    weight = "network.network.0.weight"
    np.testing.assert_allclose(files[1][weight], files[2][weight], atol=1e-6)
    assert not np.allclose(files[0][weight], files[1][weight], atol=1e-6)


WRONG = {
    own("Double"): "must return 2 float32 numbers per row (its outputs=), but got float64",
    own("Wide"): "got float32 of shape (2, 3) for 2 rows",
    own("Wrong"): "policy.network=Wrong failed on float32 inputs of shape (2, 4) (RuntimeError",
    own("doubled"): "policy.network cannot be created with inputs=4 and outputs=2 (TypeError",
    "policy.network._target_=torch.nn.Identity": "policy.network has no parameters to fit",
    f"{own('Net')} policy.network.widht=3": "did you mean 'policy.network.width'?",
    f"{own('Net')} policy.loss=own_networks.doubled": "policy.loss._target_=my_pkg.my_loss",
    f"{own('Net')} policy.loss._target_=own_networks.each": "policy.loss must return one number",
    f"{own('Net')} policy.optimizer._target_=torch.optim.LBFGS": "optimizer failed in a step",
    f"{own('Net')} policy.optimizer._target_=own_networks.Counting": "has 'calls' of type int",
    f"{own('Net')} policy.optimizer._target_=own_networks.doubled": "policy.optimizer cannot be",
    f"{own('Net')} policy.optimizer._target_=torch.optim.SGD policy.weight_decay=0.1": (
        "set policy.optimizer.weight_decay"
    ),
    "": "policy.network._target_ needs a value",
}


@pytest.mark.parametrize("words", WRONG)
def test_one_sentence(words, tmp_path):
    done = dagger("train", *OWN, *words.split(), "hydra.run.dir=run", cwd=tmp_path)
    assert done.code == 2 and len(done.err.splitlines()) == 1, done.err
    assert WRONG[words] in done.err


def test_images_are_given_as_channels_height_and_width():
    from dagger_cli.core.dataset import Dataset
    from dagger_cli.core.types import Space
    from dagger_cli.policies.sources import torch_learner

    from .own_networks import images

    seen = Space("box", (12, 10, 3), "uint8", (0.0,) * 360, (255.0,) * 360)
    wheel = Space("box", (1,), "float32", (-1.0,), (1.0,))
    fit = {"learning_rate": 1e-2, "weight_decay": 0.0, "batch_size": 8, "epochs": None}
    fit |= {"gradient_steps": 200, "warm_start": True, "decay": True, "optimizer": "adam"}
    rng = np.random.default_rng(0)
    obs = rng.integers(0, 256, (40, 12, 10, 3)).astype(np.uint8)
    labels = (obs[:, :, :5].mean((1, 2, 3)) / 127.5 - 1).astype(np.float32)[:, None]
    learner = torch_learner(
        seen, wheel, network=images, loss="auto", normalize=True, threads=1, **fit
    )
    fitted = learner.fit(Dataset(obs, np.zeros(40, np.int64), labels, (40,)), None, rng)
    assert fitted.loss < 0.01


LETTERS = "env=handwriting env.data=synthetic steps_per_round=200"
MARIO = "env=mario steps_per_round=60 env.workers=1 env.max_episode_steps=40"
SHORT = "rounds=2 validation.episodes=2 evaluation.episodes=2"
CART = "env=cartpole expert=bundled env.max_episode_steps=60 steps_per_round=60"
STEPS = "policy.gradient_steps=5"
TEACHERS = {
    "mlp": f"{CART} {STEPS}",
    "linear": f"{CART} {STEPS} policy=linear",
    "smile": f"{CART} {STEPS} trainer=smile",
    "forward": f"{CART} {STEPS} trainer=forward rounds=3",
    "ensemble": f"{CART} {STEPS} trainer=ensemble_dagger trainer.size=2",
    "svm": f"{LETTERS} policy=svm policy.row_visits=500",
    "glyphs": f"{LETTERS} policy=glyphs {STEPS}",
    "searn of svm": f"{LETTERS} policy=svm policy.row_visits=500 trainer=searn",
}


SLOW = ("svm", "glyphs", "searn of svm", "smile")  # the others have the same paths


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in TEACHERS],
)
def test_every_policy_teaches(name, tmp_path):
    words = TEACHERS[name].split()
    done = dagger("train", *words, *SHORT.split(), "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    env = [word for word in words if word.startswith("env")]
    teach = [*env, "expert=path", "expert.path=run/last"]
    own_score = dagger("eval", "checkpoint=run/last", "episodes=2", cwd=tmp_path)
    score = dagger("expert", "score", *teach, "episodes=2", cwd=tmp_path)
    assert (score.code, score.err) == (0, ""), score.err
    assert mean(score.out) == mean(own_score.out)
    fit = [STEPS] if name not in ("svm",) else []
    again = dagger(
        "train", *teach, *fit, "rounds=1", "steps_per_round=60", *SHORT.split()[1:],
        "hydra.run.dir=again", cwd=tmp_path,
    )  # fmt: skip
    assert (again.code, again.err) == (0, ""), again.err


def mean(text: str) -> str:
    return next(line.split()[1] for line in text.splitlines() if line.startswith("mean "))
