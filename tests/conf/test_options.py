"""Every option of every group composes, resolves, and names only what is in this package."""

from __future__ import annotations

import importlib
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from dagger_cli.cli.hydra_compat import initialized
from dagger_cli.config.components import typed_group
from dagger_cli.config.options import GROUPS, config_dir, options
from dagger_cli.config.schema import register, shipped_targets
from dagger_cli.config.typed import signature_of
from dagger_cli.core.types import Space
from dagger_cli.hydra_plugins.register import register_plugins
from dagger_cli.policies.sources import cnn_learner
from dagger_cli.utils.imports import import_object

TYPED = ("env", "view", "expert", "policy", "beta_schedule", "trainer")
NEEDED = {
    ("env", "gym"): ["env.id=CartPole-v1"],
    ("env", "dataset"): ["env.path=file.npz"],
    ("env", "sequence"): ["env.data=file.jsonl"],
    ("view", "keys"): ["view.keep=[0]"],
    ("policy", "glyphs"): ["env=handwriting"],
    ("policy", "scene"): ["env=mario"],
    ("policy", "torch"): ["policy.network._target_=torch.nn.Identity"],
    ("expert", "path"): ["expert.path=somewhere"],
    ("expert", "python"): ["expert.target=some.function"],
}


@pytest.fixture(autouse=True)
def hydra_here():
    register()
    register_plugins()
    GlobalHydra.instance().clear()
    with initialized(str(config_dir())):
        yield


@cache
def composed(root: str, *overrides: str):
    """Composes a config once for all tests, which must not change it."""
    return compose(root, list(overrides), return_hydra_config=True)


@pytest.mark.parametrize(
    ("group", "option"), [(group, o) for group, names in options().items() for o in names]
)
def test_every_option_composes_and_resolves_with_no_value_missing(group, option):
    cfg = deepcopy(composed("train", f"{group}={option}", *NEEDED.get((group, option), [])))
    cfg.hydra.job.num = 0
    cfg.hydra.runtime.output_dir = "outputs"
    resolved = OmegaConf.to_container(
        OmegaConf.masked_copy(cfg, [k for k in cfg if k != "hydra"]),
        resolve=True,
        throw_on_missing=True,
    )
    assert resolved["seed"] == 0
    env, trainer = resolved["env"]["name"], resolved["trainer"]["name"]
    assert cfg.hydra.run.dir.startswith(f"outputs/{env}/{trainer}/")
    assert cfg.hydra.sweep.dir.startswith(f"outputs/{env}/")
    assert cfg.hydra.sweep.subdir == f"0_{trainer}_seed0"


def test_the_cnns_options_make_a_learner_of_images():
    images = Space("box", (40, 40, 3), "uint8", (0.0,) * 4800, (255.0,) * 4800)
    choice = Space("discrete", (), "int64", sizes=(3,))
    keys = OmegaConf.to_container(composed("train", "policy=cnn").policy, resolve=False)
    fit = {key: value for key, value in keys.items() if key not in ("_target_", "name")}
    learner = cnn_learner(images, choice, **{**fit, "gradient_steps": 1, "device": "cpu"})
    assert learner.batch_size == keys["batch_size"] and learner.normalize


@pytest.mark.parametrize(
    ("words", "episodes"),
    [
        ((), 50),
        (("view=stack",), 50),
        (("view=pixels",), 10),
        (("view=pixels", "env=acrobot"), 10),
        (("view=pixels", "validation.episodes=7"), 7),
        (("view=pixels", "experiment=pong"), 8),
    ],
)
def test_a_view_of_pixels_validates_in_few_episodes_unless_told_otherwise(words, episodes):
    env = () if "experiment=pong" in words or "env=acrobot" in words else ("env=cartpole",)
    cfg = composed("train", *env, *words)
    assert cfg.validation.episodes == episodes
    assert "validation" not in cfg.view


def test_eval_composes():
    cfg = composed("eval", "checkpoint=expert", "env=cartpole")
    assert (cfg.env.id, cfg.episodes, cfg.hydra.run.dir) == ("CartPole-v1", None, ".")


@pytest.mark.parametrize("env", [name for name in options()["env"] if name != "gym"])
def test_commands_on_experts_compose_with_every_environment(env):
    """An environment may override the expert, which all these commands have, but no other group."""
    for command in ("expert_list", "expert_score", "eval"):
        words = ["checkpoint=expert"] if command == "eval" else []
        assert composed(command, f"env={env}", *words).env.name


def test_all_groups_have_options_and_every_file_opens_with_a_comment():
    assert set(options()) == set(GROUPS) and all(options().values())
    for path in config_dir().rglob("*.yaml"):
        assert path.read_text().startswith("# "), f"{path} does not say what it is"


def test_targets_are_ours_and_exist():
    for target in shipped_targets():
        module, _, name = target.rpartition(".")
        assert module.startswith("dagger_cli.")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("override", ["rounds=abc", "seed=1.5", "validation.tolerance=[1]"])
def test_a_wrong_type_at_the_root_is_refused_when_the_config_is_composed(override):
    with pytest.raises(ConfigCompositionException) as caught:
        composed("train", override)
    assert f"full_key: {override.partition('=')[0]}" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("group", "option"),
    [(g, o) for g in TYPED for o in options()[g]],
)
def test_every_key_of_an_option_has_a_type_that_its_own_value_has(group, option):
    """An option may not have a key that its class does not take, or a value of another type."""
    cfg = composed("train", f"{group}={option}", *NEEDED.get((group, option), []))
    node = OmegaConf.to_container(cfg[group], resolve=True)
    assert typed_group(node, group) == node
    keys = signature_of(import_object(node["_target_"])).keys
    assert [key for key, kind in keys.items() if kind is Any and key in node] in ([], ["failure"])
