"""`dagger expert ...`: list, show, score, fetch, convert; experts trained by expert=train."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.core.types import Observation
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.bundled import AGENTS
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.networks.agent_files import load_agent, save_agent

from ..experts.hub_client import Client
from ..experts.hub_server import serving
from .running import dagger, summary, train

CART = "CartPole-v1"


def agent_folder(folder: Path, score: tuple[float, float], sign: float = 1.0) -> Path:
    """The bundled agent as a repository of its own; with `sign` -1 it does the opposite."""
    agent = load_agent(AGENTS / CART)
    weights = {
        name: value * (sign if name.startswith("layers.4") else 1.0)
        for name, value in agent.weights.items()
    }
    facts = {**agent.facts, "score": dict(zip(("mean", "std"), score, strict=True))}
    save_agent(agent._replace(weights=weights, facts=facts), folder / CART)
    return folder


@pytest.fixture
def hub(tmp_path):
    with serving() as server:
        folder = agent_folder(tmp_path / "served", (480.0, 12.5))
        server.add(f"sb3/ppo-{CART}", folder)
        server.add(f"me/{CART}-mine", folder)
        server.add("me/unrelated-CartPole-v0x", folder)
        metrics = [{"type": "mean_reward", "value": "499.50 +/- 0.25"}]
        result = {"task": {"type": "reinforcement-learning"}, "metrics": metrics}
        result["dataset"] = {"name": CART, "type": CART}
        card = {"model-index": [{"name": "x", "results": [result]}]}
        server.cards[f"me/{CART}-mine"] = {"tags": ["stable-baselines3"], "cardData": card}
        yield server


@pytest.fixture
def client(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path / "cache"))
    return Client(monkeypatch, tmp_path / "hub", hub.url)


def test_expert_alone_prints_help(tmp_path):
    for words in (("expert",), ("expert", "--help")):
        done = dagger(*words, cwd=tmp_path)
        assert done.code == 0 and done.err == ""
        for command in ("list", "show", "score", "fetch", "convert"):
            assert f"dagger expert {command} " in done.out


SLOW = [pytest.param(c, marks=pytest.mark.slow) for c in ("list", "show", "fetch", "convert")]


@pytest.mark.parametrize("command", ["score", *SLOW])
def test_every_command_has_its_help(command, tmp_path):
    done = dagger("expert", command, "--help", cwd=tmp_path)
    assert done.code == 0 and done.out.startswith(f"dagger expert {command}: ")
    assert "Examples:" in done.out and f"dagger expert {command} " in done.out


def test_list_shows_bundled_hub_and_cached_with_their_scores(client, tmp_path):
    done = dagger("expert", "list", "env=cartpole", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    rows = {line.split("  ")[0]: line for line in done.out.splitlines()}
    assert re.search(r"bundled +500.0 (±|\+-) 0.0 +expert=bundled", rows[f"ppo-{CART}"])
    mine = rows[f"me/{CART}-mine"]
    assert re.search(rf"on the Hub +499.5 \S+ 0.2 +expert=hub expert.repo_id=me/{CART}-mine", mine)
    assert re.search(
        r"on the Hub +500.0 .. 0.0 +expert=hub expert.algo=ppo", rows[f"sb3/ppo-{CART}"]
    )
    assert "unrelated" not in done.out
    words = ("expert=hub", f"expert.repo_id=me/{CART}-mine")
    assert dagger("expert", "show", "env=cartpole", *words, cwd=tmp_path).code == 0
    again = dagger("expert", "list", "env=cartpole", cwd=tmp_path).out
    assert re.search(rf"me/{CART}-mine +cached ", again)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("env=mario", "dagger train env=mario expert=mario_planner"),
        ("env=handwriting env.data=synthetic", "dagger train env=handwriting expert=oracle"),
        ("env=gym env.id=CartPole-v1", "dagger train env=gym env.id=CartPole-v1 expert=bundled"),
    ],
)
def test_list_says_what_works(client, tmp_path, words, says):
    client.ask("http://127.0.0.1:9", offline=True)
    done = dagger("expert", "list", *words.split(), cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and says in done.out


def test_list_without_a_hub_is_a_note(client, tmp_path):
    client.ask("http://127.0.0.1:9")
    done = dagger("expert", "list", "env=cartpole", cwd=tmp_path)
    assert done.code == 0 and "note: no reply from the Hub" in done.out
    assert "expert=bundled" in done.out
    client.ask("http://127.0.0.1:9", offline=True)
    assert "HF_HUB_OFFLINE" in dagger("expert", "list", "env=cartpole", cwd=tmp_path).out


def test_show_prints_the_card(tmp_path):
    done = dagger("expert", "show", "env=cartpole", "expert=bundled", cwd=tmp_path)
    assert done.code == 0
    told = dict(re.split(r"  +", line, maxsplit=1) for line in done.out.splitlines() if line)
    assert told["source"] == f"bundled:{CART}" and re.fullmatch("[0-9a-f]{64}", told["sha256"])
    assert told["network"].startswith("box (4,), Linear 64, Tanh") and told["algo"] == "ppo"
    assert re.fullmatch(r"500.0 (±|\+-) 0.0", told["published"])


def test_a_students_score_is_told_of_the_round_that_was_played(tmp_path):
    words = ("policy.warm_start=false", "validation.tolerance=0", "seed=2")
    run = train(*words, "evaluation.checkpoint=last", cwd=tmp_path)
    found = summary(run)
    assert found["best"]["round"] < found["student_round"] == 3
    for which, says in (("best", "unknown"), ("last", f"{found['student']['mean']:.1f}")):
        path = f"expert.path={run / 'checkpoints' / which}"
        shown = dagger("expert", "show", "env=cartpole", "expert=path", path, cwd=tmp_path)
        assert shown.code == 0
        assert re.search(r"^published +(\S+)", shown.out, re.M)[1] == says


def test_a_run_goes_on_with_the_agent_it_began_with_wherever_that_lies(tmp_path):
    def keep(env: str, out: str) -> str:
        words = (f"env={env}", "expert=bundled", f"out={out}")
        assert dagger("expert", "convert", *words, cwd=tmp_path).code == 0
        return f"expert.path={out}"

    run = train("expert=path", keep("cartpole", "one"), "rounds=1", cwd=tmp_path)
    (tmp_path / "one").rename(tmp_path / "two")
    moved = ("resume=run", "expert=path", "expert.path=two")
    assert dagger("train", "resume=run", "rounds=2", cwd=tmp_path).code == 2
    done = dagger("train", *moved, "rounds=2", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    other = dagger(
        "train", "resume=run", "expert=path", f"expert.path={run}", "rounds=3", cwd=tmp_path
    )
    assert other.code == 2 and ": use the first one" in other.err


def test_an_agent_with_other_settings_is_another_expert(tmp_path):
    words = ("env=cartpole", "expert=bundled", "out=one")
    assert dagger("expert", "convert", *words, cwd=tmp_path).code == 0
    run = train("expert=path", "expert.path=one", "rounds=1", cwd=tmp_path)
    (card,) = (tmp_path / "one").glob("*.json")
    told = json.loads(card.read_text())
    assert told["network"]["layers"][1]["kind"] == "Tanh"
    told["network"]["layers"][1]["kind"] = "ReLU"  # the file of the weights stays as it was
    card.write_text(json.dumps(told))
    done = dagger("train", f"resume={run}", "rounds=2", cwd=tmp_path)
    assert done.code == 2 and "with other statistics or settings): use the first one" in done.err


@pytest.mark.slow
def test_a_run_taught_by_a_mixture_notices_another_one(tmp_path):
    train("trainer=smile", "rounds=2", cwd=tmp_path, run="a")
    run = train("expert=path", "expert.path=a/last", "rounds=1", cwd=tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    moved = ("resume=run", "expert=path", "expert.path=b/last")
    done = dagger("train", *moved, "rounds=2", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert dagger("train", "resume=b", "rounds=3", cwd=tmp_path).code == 0
    other = dagger("train", *moved, "rounds=3", cwd=tmp_path)
    assert other.code == 2 and f"{run.name} was labelled by" in other.err


def score_of(folder: Path, tmp_path: Path, *words: str) -> str:
    given = ("expert=path", f"expert.path={folder}", "env.max_episode_steps=100", *words)
    done = dagger("expert", "score", "env=cartpole", "episodes=5", *given, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_score_says_how_it_plays_and_warns_only_where_it_must(tmp_path):
    good = score_of(agent_folder(tmp_path / "good", (100.0, 0.0)), tmp_path, "json=s.json")
    told = dict(re.split(r"  +", line, maxsplit=1) for line in good.splitlines() if "  " in line)
    for name in ("mean", "std", "std error", "min", "max", "drops", "episodes"):
        assert name in told
    assert told["mean"] == "100.0" and told["seeds"] == "1000 to 1004"
    assert "warning" not in good
    assert json.loads((tmp_path / "s.json").read_text())["returns"] == [100.0] * 5

    bad = score_of(agent_folder(tmp_path / "bad", (100.0, 1.0), sign=-1), tmp_path)
    assert re.search(r"warning: the score is far below the published 100.0 \S+ 1.0", bad)
    assert "warning: 5 drops in 5 episodes" in bad

    spread = score_of(agent_folder(tmp_path / "wide", (120.0, 30.0)), tmp_path)
    assert "far below" not in spread  # within its own spread


def test_scores_of_several_are_compared(tmp_path):
    words = ("-m", "env=cartpole", "expert=bundled", "seed=1,2", "episodes=1")
    done = dagger("expert", "score", *words, "env.max_episode_steps=20", cwd=tmp_path)
    assert done.code == 0 and re.search(r"seed=1 +20.0.*\nseed=2 +20.0", done.out)


def asked(path: Path, obs: np.ndarray) -> np.ndarray:
    source = GymSource(
        id=CART, imports=None, kwargs={}, max_episode_steps=None, fresh_simulator=False,
        workers=0, backend="gymnasium", failure="none",
    )  # fmt: skip
    found = FromPath(path=str(path), algo=None, deterministic=True)
    expert = found.load(CART, source.observation_space, source.action_space)
    observation = Observation(obs, np.zeros(len(obs), np.int64))
    return expert.act(observation, np.random.default_rng(0)).actions


def test_fetch_converts_and_says_how_to_use_it(client, tmp_path):
    words = ("env=cartpole", "expert.algo=ppo", f"expert.filename={CART}.safetensors")
    done = dagger("expert", "fetch", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    folder = tmp_path / "experts" / f"ppo-{CART}"
    assert f"expert=path expert.path=experts/ppo-{CART}" in done.out
    obs = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    np.testing.assert_array_equal(asked(folder, obs), asked(tmp_path / "served", obs))
    card = json.loads((folder / f"{CART}.json").read_text())
    assert card["repo_id"] == f"sb3/ppo-{CART}" and len(card["commit"]) == 40
    assert card["score"] == {"mean": 480.0, "std": 12.5}


def test_convert_is_loaded_again_and_overwrites_whole_files(tmp_path):
    folder = agent_folder(tmp_path / "agent", (480.0, 12.5))
    words = ("env=cartpole", f"expert.path={folder}", "out=ours")
    for _ in range(2):
        done = dagger("expert", "convert", *words, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
    names = sorted(path.name for path in (tmp_path / "ours").iterdir())
    assert names == [f"{CART}.json", f"{CART}.safetensors"]
    shown = dagger(
        "expert", "show", "env=cartpole", "expert=path", "expert.path=ours", cwd=tmp_path
    )
    assert re.search(r"published +480.0 \S+ 12.5", shown.out)


WRONG = {
    "expert lsit": r"no command 'expert lsit'; did you mean 'expert list'\?",
    "expert list env=bipdal": r"there is no such option; did you mean 'bipedal'",
    "expert list expert=hub": r"shows all experts: leave out expert=",
    "expert score env=cartpole expert=bundled episodes=0": r"episodes must be at least 1",
    "expert score env=cartpole expert=bundled seed=-1": r"evaluation seeds are those from 0",
    "expert score env=cartpole expert=bundled +x=1": r"there is no key 'x'",
    "expert show env=cartpole --nope": r"unrecognized arguments: --nope; see `dagger expert show",
    "expert fetch env=cartpole expert=bundled": r"dagger expert fetch downloads from the Hub",
    "expert convert env=cartpole expert=bundled": r"out needs a value",
    "expert convert env=lunarlander expert=heuristic out=x": r"is not a network",
    "expert convert env=cartpole expert.path=gone out=x": r"'gone' does not exist",
    "expert convert env=cartpole expert=bundled out=file/x": r"cannot write to file/x",
    "expert show env=cartpole expert=zoo": r"'rl-trained-agents' does not exist; create it with",
    "expert show env=cartpole expert=zoo expert.folder=.": r"it contains no <algo>/<env id>_<n>",
    "expert show env=cartpole expert=train expert.algo=tqc": r"no tuned .* use expert.algo=a2c",
    "expert show env=cartpole expert=train expert.algo=x": r"expert.algo=x cannot be trained",
    "expert show env=cartpole expert=train expert.seed=-1": r"expert.seed must be 0 or more",
    "expert show env=cartpole expert=train expert.steps=0": r"expert.steps must be at least 1",
}


@pytest.mark.parametrize("words", WRONG)
def test_one_sentence(words, tmp_path):
    (tmp_path / "file").touch()
    done = dagger(*words.split(), cwd=tmp_path)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("dagger: ") and re.search(WRONG[words], line), line


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train("rounds=2", cwd=tmp_path_factory.mktemp("student"))


@pytest.mark.parametrize("inside", ["", "best", "checkpoints/last", "copy"])
def test_a_student_is_an_expert_with_the_same_score(run, inside, tmp_path):
    path = run / inside
    if inside == "copy":
        path = tmp_path / "copy"
        shutil.copytree(run / "checkpoints" / "best", path)
    words = ("episodes=3", "env.max_episode_steps=60")
    done = dagger(
        "expert", "score", "env=cartpole", "expert=path", f"expert.path={path}", *words,
        cwd=tmp_path,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    which = run / "checkpoints" / ("last" if "last" in inside else "best")
    own = dagger("eval", f"checkpoint={which}", "episodes=3", cwd=tmp_path)
    means = [re.search(r"^mean +(\S+)$", text, re.M)[1] for text in (own.out, done.out)]
    assert means[0] == means[1]


def test_a_student_of_another_environment_is_refused(run, tmp_path):
    words = ("env=pendulum", "expert=path", f"expert.path={run}")
    done = dagger("expert", "show", *words, cwd=tmp_path)
    assert done.code == 2 and "was trained on CartPole-v1" in done.err


def test_an_altered_student_is_refused(run, tmp_path):
    shutil.copytree(run / "checkpoints" / "best", tmp_path / "bad")
    policy = tmp_path / "bad" / "policy.safetensors"
    policy.write_bytes(policy.read_bytes()[:-1] + b"x")
    words = ("env=cartpole", "expert=path", "expert.path=bad")
    done = dagger("expert", "show", *words, cwd=tmp_path)
    assert done.code == 2 and "its sha256 is not the recorded one" in done.err


def test_a_student_can_teach_another(run, tmp_path):
    again = train("expert=path", f"expert.path={run}", "rounds=1", cwd=tmp_path)
    assert "dagger student (round" in (again / "checkpoints/last/checkpoint.json").read_text()


def test_a_mixture_of_students_can_be_asked_but_not_converted(tmp_path):
    run = train("trainer=smile", "rounds=2", cwd=tmp_path)
    words = ("env=cartpole", "expert=path", f"expert.path={run}/last")
    done = dagger("expert", "show", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and "smile student (round 2)" in done.out
    done = dagger("expert", "convert", *words, "out=x", cwd=tmp_path)
    assert done.code == 2 and "is not a network" in done.err


def test_zoo_takes_the_newest_run_of_the_environment(tmp_path, hub_folder):
    repo = hub_folder / "ppo-CartPole-v1"
    for n in (1, 2, 10):
        place = tmp_path / "rl-trained-agents" / "ppo" / f"{CART}_{n}" / CART
        place.mkdir(parents=True)
        shutil.copy(repo / "ppo-CartPole-v1.zip", place.parent / f"{CART}.zip")
        shutil.copy(repo / "args.yml", place / "args.yml")
    show = ("expert", "show", "env=cartpole", "expert=zoo")
    assert f"{CART}_10/{CART}.zip" in dagger(*show, cwd=tmp_path).out
    assert f"{CART}_2/{CART}.zip" in dagger(*show, "expert.run=2", cwd=tmp_path).out
    done = dagger(*show, "expert.run=3", cwd=tmp_path)
    assert done.code == 2 and f"of run 3 in 'rl-trained-agents'; it has ppo/{CART}_1" in done.err
    other = dagger("expert", "show", "env=cartpole", "expert=zoo", "expert.algo=a2c", cwd=tmp_path)
    assert other.code == 2 and "no a2c agent" in other.err
