"""What words of the command line mean before Hydra reads them."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from dagger_cli.cli.shorthands import expand, into_run_folder, touched, value_of
from dagger_cli.core.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("beta=linear", "beta_schedule=linear"),
        ("beta=linear,exponential", "beta_schedule=linear,exponential"),
        ("+beta=linear", "+beta_schedule=linear"),
        ("++beta.over=5", "++beta_schedule.over=5"),
        ("~beta", "~beta_schedule"),
        ("~beta=linear", "~beta_schedule=linear"),
        ("beta.over=5", "beta_schedule.over=5"),
        ("beta@trainer.beta=linear", "beta_schedule@trainer.beta=linear"),
        ("beta=", "beta_schedule="),
        ("beta.values=[1,beta=2]", "beta_schedule.values=[1,beta=2]"),
        ("env.import=my_envs", "env.imports=my_envs"),
        ("+env.import=[a,b]", "+env.imports=[a,b]"),
        ("env.kwargs.gravity=-9", "++env.kwargs.gravity=-9"),
        ("+env.kwargs.gravity=-9", "+env.kwargs.gravity=-9"),
        ("resume=~/a", "resume=/home/me/a"),
        ("video='~/a b.mp4'", "video='/home/me/a b.mp4'"),
        ("checkpoint=~/a,~/b", "checkpoint=/home/me/a,/home/me/b"),
        ("message=a~/b", "message=a~/b"),
        ("~beta", "~beta_schedule"),
    ],
)
def test_short_names_stand_for_the_configs_own(typed, meant, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert expand([typed]) == [meant]


@pytest.mark.parametrize(
    "word",
    [
        "betas=1",
        "beta_schedule=linear",
        "betamax.over=1",
        "policy.beta=1",
        "trainer.beta=1",
        "env.imports=a",
        "env.important=1",
        "experiment=beta",
        "seed='beta=1'",
        "-m",
        "--beta=1",
        "",
        "=beta",
    ],
)
def test_other_words_stay(word):
    assert expand([word]) == [word]


def test_words_keep_their_order_and_the_values_their_line_breaks():
    assert expand(["seed=1", "beta=a\nb", "-m"]) == ["seed=1", "beta_schedule=a\nb", "-m"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["resume=a/b"], "a/b"),
        (["+resume=a"], "a"),
        (["resume='a b'"], "a b"),
        (['resume="a=b"'], "a=b"),
        (["resume=a", "resume=b"], "b"),
        (["resume=a", "resume=null"], None),
        (["resume="], None),
        (["resumed=a", "x.resume=a"], None),
        ([], None),
    ],
)
def test_value_of_is_what_the_user_gave_last(words, value):
    assert value_of(words, "resume") == value


def test_touched_are_the_keys_alone():
    words = ["seed=0", "+a.b=1", "++c=x=y", "~d", "~e=1", "db@pkg=z", "rounds=1"]
    assert touched(words) == {"seed", "a.b", "c", "d", "e", "db", "rounds"}


@pytest.mark.parametrize(
    "folder",
    ["outputs/run", "with space/run", "it's/run", "a=b,c", "back\\slash", "(x)[y]{z}", "a:b", "ü"],
)
def test_the_folder_of_a_resumed_run_survives_hydras_grammar(folder):
    first, ours, *rest = into_run_folder(["seed=1", "resume=x", "--config-dir", "y"], Path(folder))
    parsed = OverridesParser.create().parse_overrides([ours])[0]
    assert [first, *rest] == ["seed=1", "resume=x", "--config-dir", "y"]
    assert (parsed.key_or_group, parsed.value()) == ("hydra.run.dir", folder)


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_a_sweep_cannot_go_on_with_one_run(flag):
    with pytest.raises(ConfigError, match="resume= goes on with one run"):
        into_run_folder([flag, "resume=a"], Path("a"))
