"""Parsing of the command line before Hydra composes the config."""

from pathlib import Path

import pytest

from dagger_cli.cli.command_line import arguments_of, parse
from dagger_cli.cli.shorthands import expand
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
        ("trainer=bc", "trainer=sup"),
        ("trainer=bc,dagger", "trainer=sup,dagger"),
        ("trainer=abc", "trainer=abc"),
        ("trainer.name=bc", "trainer.name=bc"),
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
        (["resume=a,b"], "a,b"),
        (["resumed=a", "x.resume=a"], None),
        ([], None),
    ],
)
def test_text_of_is_what_the_user_gave_last(words, value):
    assert parse("train", words).text_of("resume") == value


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("checkpoint=2024_01_02", "checkpoint='2024_01_02'"),
        ("checkpoint=runs/lr=0.1", "checkpoint='runs/lr=0.1'"),
        ("checkpoint=/home/jürgen/run", "checkpoint='/home/jürgen/run'"),
        ("checkpoint=a,2024_01", "checkpoint=a,'2024_01'"),
        ("checkpoint=[a]", "checkpoint='[a]'"),
        ("checkpoint=a/b", "checkpoint=a/b"),
        ("checkpoint=null", "checkpoint=null"),
        ("hydra.run.dir=runs/ü/${now:%Y}", "hydra.run.dir='runs/ü/${now:%Y}'"),
        ("expert.sha256=12e4567", "expert.sha256='12e4567'"),
        ("labels=1e5", "labels=100000"),
        ("labels=1e3,2e3", "labels=1000,2000"),
        ("validation.episodes=1e1", "validation.episodes=10"),
        ("seed=1.5", "seed=1.5"),
        ("seed=1e400", "seed=1e400"),
        ("policy.learning_rate=1e3", "policy.learning_rate=1e3"),
    ],
)
def test_paths_and_whole_numbers_are_read_as_typed(word, read):
    assert parse("train", [word]).texts == [read]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "cartpole"], "there is no flag --env: .* did you mean env=cartpole"),
        (["--lr=0.1"], "did you mean policy.learning_rate=0.1"),
        (["--total-timesteps", "5"], "did you mean labels=5"),
        (["--seed", "-m"], r"did you mean seed=\.\.\."),
        (["-env=cartpole"], "there is no flag -env: .* did you mean env=cartpole"),
        (["env:cartpole"], "did you mean env=cartpole"),
        (["env", "cartpole"], "did you mean env=cartpole"),
        (["cartpole"], "did you mean env=cartpole"),
        (["rounds"], r"did you mean rounds=\.\.\."),
        (["thing"], "'thing' is not key=value: give it a key"),
        (["env", "=", "cartpole"], "no spaces around '='"),
        (["env", "=cartpole"], "no spaces around '='"),
        (["env=", "cartpole"], "'cartpole' is not key=value; did you mean env=cartpole"),
        (["seed=" + "1" * 5000], "too long or too deep"),
    ],
)
def test_habits_of_other_programs_get_a_hint(words, message):
    with pytest.raises(ConfigError, match=message):
        parse("train", words)


def test_keys_have_no_signs_and_no_packages():
    words = ["seed=0", "+a.b=1", "++c='x=y'", "~d", "~e=1", "db@pkg=z", "rounds=1"]
    assert parse("train", words).keys == {"seed", "a.b", "c", "d", "e", "db", "rounds"}


@pytest.mark.parametrize(
    "words",
    [
        ["--config-dir", "cfg", "env=cartpole", "trainer=mine"],
        ["env=cartpole", "--config-dir", "cfg", "trainer=mine"],
        ["env=cartpole", "trainer=mine", "--config-dir", "cfg"],
        ["env=cartpole", "--config-dir=cfg", "trainer=mine"],
    ],
)
def test_flags_may_stand_anywhere(words):
    line = parse("train", words)
    assert line.texts == ["env=cartpole", "trainer=mine"]
    assert arguments_of(line).config_dir == "cfg" and not line.sweeps


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense; see `dagger train --help`"),
        (["env"], "'env' is not key=value; did you mean env="),
        (["--config-dir"], "expected one argument; see `dagger train --help`"),
    ],
)
def test_what_is_no_flag_and_no_override_is_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        parse("train", words)


@pytest.mark.parametrize(
    "folder",
    ["outputs/run", "with space/run", "it's/run", "a=b,c", "back\\slash", "(x)[y]{z}", "a:b", "ü"],
)
def test_the_folder_of_a_resumed_run_survives_hydras_grammar(folder):
    line = parse("train", ["seed=1", "resume=x", "--config-dir", "y"]).in_folder(Path(folder))
    assert line.text_of("hydra.run.dir") == folder
    assert line.texts[1:] == ["seed=1", "resume=x"]


def test_a_resumed_run_stays_in_its_folder():
    with pytest.raises(ConfigError, match=r"hydra.run.dir has no effect: .*cp -a"):
        parse("train", ["resume=a", "hydra.run.dir=b"]).in_folder(Path("a"))


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_a_sweep_cannot_go_on_with_one_run(flag):
    with pytest.raises(ConfigError, match=r"a is one run: resume it without"):
        parse("train", [flag, "resume=a"]).in_folder(Path("a"))
