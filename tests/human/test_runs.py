"""Whole runs with a scripted person: the three ways, interruptions, and what is counted."""

from __future__ import annotations

import re
import shutil
from unittest import mock

import numpy as np
import pytest

from dagger_cli.config.person import for_a_person
from dagger_cli.experts.bundled import Bundled
from dagger_cli.experts.human.given import Input
from dagger_cli.experts.human.person import Person
from tests.e2e.running import dagger, metrics
from tests.human.people import TINY, answers, by_frame, policies, pressed, stopping, taught

SLOW = pytest.mark.slow


@pytest.mark.parametrize("trainer", ["dagger", pytest.param("sup", marks=SLOW)])
def test_every_visited_state_gets_the_persons_answer(tmp_path, trainer):
    done, _ = taught(*TINY, f"trainer={trainer}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(answers(tmp_path / "run")) == 120
    last = metrics(tmp_path / "run")[-1]
    assert (last["train/labels"], last["human/labels"], last["human/takeovers"]) == (120, 120, 0)
    assert last["human/seconds"] == pytest.approx(
        sum(a["seconds"] for a in answers(tmp_path / "run"))
    )
    assert "student (round" in done.out and not re.search("^expert +-?[0-9]", done.out, re.M)
    assert "the final table has the student alone" in done.out


@pytest.mark.slow
def test_with_hg_dagger_only_states_in_which_the_person_acts_are_labels(tmp_path):
    """The person demonstrates round 1, then takes over for ten states and gives back for ten."""

    def person(number, shown):
        if "You act." in shown.lines:
            return by_frame(number, shown)
        step = re.match(r"step (\d+)", shown.lines[1])[1]
        if int(step) % 10 == 0 and not shown.lines[2].startswith(turn(int(step))):
            return pressed("return")
        acts = shown.lines[2].startswith("You act")
        return by_frame(number, shown) if acts else pressed("n")

    def turn(step):
        return "You act" if step % 20 == 0 else "The student acts"

    done, _ = taught(*TINY, "trainer=hg_dagger", cwd=tmp_path, script=person)
    assert done.code == 0, done.err
    rounds = metrics(tmp_path / "run")
    assert [line["human/labels"] for line in rounds] == [40, 60, 80]
    assert [line["human/takeovers"] for line in rounds] == [0, 2, 4]
    assert [answer["takes"] for answer in answers(tmp_path / "run")][40:70] == (
        [True] * 10 + [False] * 10 + [True] * 10
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    done, _ = taught(*TINY, cwd=folder)
    assert done.code == 0
    return folder / "run"


@pytest.mark.parametrize("look", [17, 81, *(pytest.param(n, marks=SLOW) for n in (1, 55))])
def test_a_run_goes_on_at_the_state_where_the_window_was_closed(tmp_path, whole, look):
    """In the first state, in the first round, in the second, in the first state of the third."""
    stopped, screen = taught(*TINY, cwd=tmp_path, script=stopping(look))
    assert stopped.code == 130 and screen.closed
    assert look == 1 or len(answers(tmp_path / "run")) == look - 1
    words = re.search(r"^resume +dagger train (resume=run)$", stopped.out, re.M)[1]
    resumed, screen = taught(words, cwd=tmp_path)
    assert resumed.code == 0, resumed.err
    assert screen.looks == 120 - (look - 1)
    assert policies(tmp_path / "run") == policies(whole)


def test_a_run_that_is_repeated_from_its_record_is_the_same_bit_for_bit(tmp_path, whole):
    shutil.copytree(whole / "human", tmp_path / "again/human")
    again, screen = taught("resume=again", cwd=tmp_path)
    assert again.code == 0, again.err
    assert screen.looks == 0 and not screen.shown
    assert policies(whole) == policies(tmp_path / "again")
    assert timeless(whole) == timeless(tmp_path / "again")


def timeless(run):
    return [{k: v for k, v in m.items() if not k.startswith("time/")} for m in metrics(run)]


def test_a_new_run_does_not_replace_answers(tmp_path):
    taught(*TINY, cwd=tmp_path, script=stopping(9))
    before = answers(tmp_path / "run")
    refused, _ = taught(*TINY, cwd=tmp_path)
    assert refused.code == 2 and "already holds a run: resume it (resume=run)" in refused.err
    assert answers(tmp_path / "run") == before


def test_steps_that_were_taken_back_are_no_labels(tmp_path, whole):
    """Three wrong answers, taken back one by one: the run is that of a person without them."""

    def with_a_slip(number, shown):
        if 51 <= number <= 53:
            other = {"left": "right", "right": "left"}
            return pressed(other[by_frame(number, shown).pressed[0]])
        return pressed("backspace") if 54 <= number <= 56 else by_frame(number, shown)

    done, _ = taught(*TINY, cwd=tmp_path, script=with_a_slip)
    assert done.code == 0, done.err
    assert policies(tmp_path / "run") == policies(whole)
    assert metrics(tmp_path / "run")[-1]["human/taken_back"] == 3
    assert len(answers(tmp_path / "run")) == 126


def test_in_real_time_the_held_key_is_the_answer(tmp_path, monkeypatch):
    """p starts the round; at 16 times the speed 40 states of CartPole take 0.05 s."""

    def person(number, shown):
        waits = any("PAUSED" in line for line in shown.lines)
        return Input(("right",), ("p",) if waits else ())

    monkeypatch.setattr("dagger_cli.experts.human.asking.ENDED", 0.0)
    words = ("expert.pace=real", "expert.speed=16", "rounds=1")
    done, _ = taught(*TINY, *words, cwd=tmp_path, script=person)
    assert done.code == 0, done.err
    assert {tuple(answer["action"]) for answer in answers(tmp_path / "run")} == {(1.0,)}


def test_an_altered_record_is_not_played(tmp_path):
    taught(*TINY, cwd=tmp_path, script=stopping(9))
    path = tmp_path / "run/human/answers.jsonl"
    path.write_text(path.read_text().replace('"action": [1.0]', '"action": [7.0]'))
    refused, _ = taught("resume=run", cwd=tmp_path)
    assert refused.code == 2 and "has an action that this environment lacks" in refused.err


def test_answers_are_not_written_through_a_link(tmp_path):
    taught(*TINY, cwd=tmp_path, script=stopping(9))
    (tmp_path / "run/human").rename(tmp_path / "elsewhere")
    (tmp_path / "run/human").symlink_to(tmp_path / "elsewhere")
    refused, _ = taught("resume=run", cwd=tmp_path)
    assert refused.code == 2 and "is a symbolic link" in refused.err


BAD = {
    "n_envs=4": "n_envs=4 does not go with expert=human: a person answers in one environment",
    "evaluation.expert=true": "evaluation.expert=true does not go with expert=human",
    "validation.queries=10": "validation.queries=10 does not go with expert=human",
    "trainer=aggrevate": "which a person cannot play",
    "env.backend=envpool": "draws no pictures",
    "best=agreement": "best=agreement asks the expert in validation",
    "objective=labels_to_95": "which a person has not",
    "expert.ui=tv": "expert.ui must be one of window, browser",
    "expert.pace=fast": "expert.pace must be one of auto, real, step",
    "expert.speed=0": "expert.speed must be in [0.05, 16]",
    "expert.keys={left: 7}": "'left' must give an action from 0 to 1, got 7",
    "expert.keys={p: 0}": "'p' is a command",
}


@pytest.mark.parametrize(("words", "sentence"), BAD.items())
def test_what_does_not_go_with_a_person_is_one_sentence(tmp_path, words, sentence):
    given = [words] if words.startswith("expert.keys") else words.split()
    refused, _ = taught(*TINY, *given, cwd=tmp_path)
    assert refused.code == 2 and sentence in refused.err, refused.err
    assert refused.err.count("\n") <= 2 and not (tmp_path / "run").exists()


def test_an_environment_without_pictures_is_refused(tmp_path):
    words = ("env=handwriting", "env.data=synthetic", "expert=human", "policy=linear")
    refused, _ = taught(*words, cwd=tmp_path)
    assert refused.code == 2 and "which 'handwriting' does not render" in refused.err, refused.err


def test_a_sweep_with_a_person_is_refused_before_there_is_a_folder(tmp_path):
    for words in (
        ("train", "-m", "env=cartpole", "seed=0,1"),
        ("bench", "tasks=cartpole", "trainers=sup"),
    ):
        refused = dagger(*words, "expert=human", cwd=tmp_path)
        assert refused.code == 2, refused.out
        assert refused.err.count("expert=human cannot be swept") <= 1
        assert "report" not in refused.out and not list(tmp_path.iterdir())


def test_a_person_is_not_scored(tmp_path):
    refused = dagger("eval", "checkpoint=expert", "env=cartpole", "expert=human", cwd=tmp_path)
    assert refused.code == 2 and "plays no test episodes" in refused.err


@pytest.mark.parametrize("trainer", ["dagger", pytest.param("sup", marks=SLOW)])
def test_keys_pressed_as_an_expert_would_give_the_run_of_that_expert(tmp_path, trainer):
    """Bit for bit: nothing is lost or shifted between the state, the key and the label."""
    own = [word for word in TINY if not word.startswith(("expert", "hydra"))]
    alone = ("n_envs=1", "env.backend=gymnasium", "validation.queries=0", f"trainer={trainer}")
    beta = ("beta=indicator",) if trainer == "dagger" else ()
    words = (*own, *alone, *beta, "expert=bundled", "hydra.run.dir=agent")
    assert dagger("train", *words, cwd=tmp_path).code == 0
    people, opened = [], Person.opened

    def remembered(person, *args, **values):
        people.append(person)
        return opened(person, *args, **values)

    def as_the_agent(number, shown):
        env = people[0].env
        if not as_the_agent.agent:
            spaces = env.observation_space, env.action_space
            as_the_agent.agent.append(Bundled(deterministic=True).load("CartPole-v1", *spaces))
        acts = as_the_agent.agent[0].act(env.observation, np.random.default_rng(0))
        return pressed(("left", "right")[int(acts.actions[0])])

    as_the_agent.agent = []
    with mock.patch.object(Person, "opened", remembered):
        done, _ = taught(*TINY, f"trainer={trainer}", cwd=tmp_path, script=as_the_agent)
    assert done.code == 0, done.err
    assert policies(tmp_path / "run") == policies(tmp_path / "agent")


@pytest.mark.parametrize("view", ["stack", pytest.param("pixels", marks=SLOW)])
def test_students_with_a_view_are_shown_beside_the_person(tmp_path, view):
    """The person sees the picture; the student's action is of what the student sees."""
    size = ("view.pixels=12",) if view == "pixels" else ()
    done, screen = taught(*TINY, f"view={view}", *size, "rounds=2", cwd=tmp_path)
    assert done.code == 0, done.err
    beside = [any("student:" in line for line in shown.lines) for shown in screen.shown]
    assert beside.count(True) >= 40 and beside.count(False) >= 40


def test_a_persons_defaults_replace_those_that_were_not_chosen():
    linear = {"_target_": "dagger_cli.core.schedules.Linear", "over": 3}
    config = {
        "n_envs": 8,
        "env": {"backend": "auto"},
        "policy": {"unsafe_penalty": 150.0},
        "trainer": {"beta": linear},
        "beta_schedule": linear,
        "evaluation": {"expert": True},
        "validation": {"queries": 500},
    }
    made = for_a_person(config, (), "return")
    assert (made["n_envs"], made["env"]["backend"]) == (1, "gymnasium")
    assert made["policy"]["unsafe_penalty"] == 0.0
    assert made["beta_schedule"] == made["trainer"]["beta"] != linear
    assert not made["evaluation"]["expert"] and made["validation"]["queries"] == 0
    chosen = ("beta_schedule", "n_envs", "policy.unsafe_penalty")
    kept = for_a_person(config, chosen, "return")
    assert kept["trainer"]["beta"] == linear and kept["n_envs"] == 8


def test_processes_leave_the_person_where_the_screen_is(tmp_path):
    done, _ = taught(*TINY, "rounds=1", "labeller=processes", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "a person is asked in the order of time" in done.out


@pytest.mark.slow
def test_a_resumed_run_may_be_asked_in_another_way_and_for_more_rounds(tmp_path):
    taught(*TINY, "rounds=1", cwd=tmp_path)
    words = ("resume=run", "rounds=2", "expert=human", "expert.pace=real", "expert.speed=16")

    def person(number, shown):
        waits = any("PAUSED" in line for line in shown.lines)
        return Input(("left",), ("p",) if waits else ())

    with mock.patch("dagger_cli.experts.human.asking.ENDED", 0.0):
        done, _ = taught(*words, cwd=tmp_path, script=person)
    assert done.code == 0, done.err
    assert {answer["action"][0] for answer in answers(tmp_path / "run")[40:]} == {0.0}
    assert len(answers(tmp_path / "run")) == 80
