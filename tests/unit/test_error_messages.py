"""Error messages in place of tracebacks, from errors raised by Hydra."""

import errno

import pytest
from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue

from dagger_cli.cli.error_messages import explain, nearest
from dagger_cli.cli.hydra_compat import initialized
from dagger_cli.config.options import config_dir
from dagger_cli.config.schema import register
from dagger_cli.core.errors import CheckpointError, ConfigError


def refused(*overrides, root="train"):
    register()
    GlobalHydra.instance().clear()
    with initialized(str(config_dir())):
        with pytest.raises(Exception) as caught:
            compose(root, list(overrides))
        return explain(caught.value)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("env=bipdal", "env=bipdal: there is no such option; did you mean 'bipedal'? (acrobot, "),
        ("expert=zzz", "expert=zzz: there is no such option (bundled, dataset, file, "),
        ("experiment=walkr", "experiment=walkr: there is no such option; did you mean 'walker'?"),
        ("roundss=3", "there is no key 'roundss'; did you mean 'rounds'?"),
        ("policy.size=[3]", "there is no key 'policy.size'; did you mean 'policy.sizes'?"),
        ("validation.episode=3", "there is no key 'validation.episode'; did you mean 'validation."),
        ("env.zzz=3", "there is no key 'env.zzz'; did you mean 'env."),
        ("xyzzy=3", "there is no key 'xyzzy': `dagger train --help` lists the keys"),
        ("lr=0.1", "there is no key 'lr'; here it is policy.learning_rate=..."),
        ("policy.lr=0.1", "there is no key 'policy.lr'; here it is policy.learning_rate=..."),
        ("total_timesteps=5", "there is no key 'total_timesteps'; here it is labels=..."),
        (
            "env=BipedalWalker-v3",
            "env=BipedalWalker-v3: there is no such option; BipedalWalker-v3 is",
        ),
        (
            "env=Ant-v5",
            "env=Ant-v5: there is no such option; for an id of Gymnasium, use env=gym env.",
        ),
        (
            "env=ALE/Pong-v5",
            "env=ALE/Pong-v5: there is no such option; for an id of Gymnasium, use",
        ),
        (
            "expert=sb3/ppo-Ant-v3",
            "expert=sb3/ppo-Ant-v3: there is no such option; for a repository of",
        ),
        ("rounds=abc", "rounds must be a whole number, got 'abc'"),
        ("seed=1.5", "seed must be a whole number, got 1.5"),
        ("regret=maybe", "regret must be true or false, got 'maybe'"),
        (
            "policy.optimiser=sgd",
            "'policy.optimiser' was renamed to 'policy.optimizer': write policy.",
        ),
        (
            "trainer.tries.horizon=3",
            "'trainer.tries' was renamed to 'trainer.cost_rollouts': write trainer.",
        ),
        (
            "trainer.fit=ogd",
            "'trainer.fit' was renamed to 'trainer.update': write trainer.update=...",
        ),
        ("env.watch_test=true", "'env.watch_test' was renamed to 'env.validate_on_test': write"),
    ],
)
def test_what_the_user_typed_wrong_is_named_with_what_is_near(override, sentence):
    assert refused(override).startswith(sentence)


def test_an_unknown_group_names_the_nearest_group():
    assert refused("polizy=mlp") == "there is no key 'polizy'; did you mean 'policy'?"


def test_every_sentence_is_one_line():
    for override in ("env=zzz", "roundss=1", "rounds=x", "a=[1", "~nothing", "=", "+seed=1"):
        sentence = refused(override)
        assert sentence is not None and "\n" not in sentence and sentence.strip(), override


def test_a_value_that_must_be_given():
    cfg = OmegaConf.create({"env": {"id": "???"}})
    with pytest.raises(MissingMandatoryValue) as caught:
        OmegaConf.to_container(cfg.env, throw_on_missing=True)
    assert explain(caught.value) == "env.id needs a value: give env.id=..."


def test_our_own_errors_are_their_sentence():
    assert explain(ConfigError("a  b\n c")) == "a b c"
    assert explain(CheckpointError("gone")) == "gone"


def test_the_operating_systems_errors():
    denied = PermissionError(errno.EACCES, "Permission denied", "outputs")
    assert explain(denied) == (
        "cannot use 'outputs': Permission denied; give another path (hydra.run.dir=... for a run)"
    )
    full = OSError(errno.ENOSPC, "No space left on device", "x/metrics.jsonl")
    assert explain(full) == (
        "the disk is full: could not write 'x/metrics.jsonl'; free some space and resume the run"
    )
    assert explain(OSError(errno.ENOSPC, "No space left on device")).startswith("the disk is full")
    assert explain(OSError(errno.EDQUOT, "Quota exceeded")).startswith("the disk is full")


@pytest.mark.parametrize("err", [ValueError("x"), KeyError("x"), OSError(errno.EIO, "I/O error")])
def test_our_own_bugs_have_no_sentence(err):
    assert explain(err) is None


def test_nearest_says_nothing_where_nothing_is_near():
    assert nearest("trian", ["train", "eval"]) == "; did you mean 'train'?"
    assert nearest("zzz", ["train", "eval"]) == ""
