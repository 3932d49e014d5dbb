"""Labelling by file: pause, answer, go on, with the numbers of an expert that answers at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.api.policies import load_expert
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Observation, Space
from dagger_cli.data.answers import agreement, all_answers, combined, read_answers, take_answers
from dagger_cli.data.questions import read_questions, write_questions

from ..e2e.running import TINY, dagger, differences, summary, train

COMMON = ("beta=constant", "beta.value=0", "validation.queries=0", "evaluation.expert=false")
BY_FILE = tuple(word for word in TINY if not word.startswith("expert="))


@pytest.fixture
def demos(tmp_path):
    train("trainer=sup", "rounds=1", cwd=tmp_path, run="first")
    done = dagger("data", "export", "run=first", "format=npz", "path=demos.npz", cwd=tmp_path)
    assert done.code == 0
    return tmp_path / "demos.npz"


def write_answers(run: Path, round: int, to: Path, part: slice = slice(None)) -> None:
    """The bundled expert answers some of the states."""
    states = np.load(run / "questions" / f"round_{round:04d}" / "states.npz", allow_pickle=False)
    expert = load_expert(["env=cartpole", "expert=bundled"]).policy
    seen = Observation(states["observation"], states["step"])
    actions = expert.act(seen, np.random.default_rng(0)).actions
    columns = {"row": states["row"], "state": states["state"], "action": actions}
    columns = {name: column[part] for name, column in columns.items()}
    if to.suffix == ".npz":
        np.savez(to, **columns)
        return
    lines = [
        ",".join(map(str, row)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]
    to.write_text("row,state,action\n" + "\n".join(lines) + "\n")


def ok(*words: str, cwd: Path) -> str:
    done = dagger(*words, cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    return done.out


def test_answers_in_files_give_the_run_of_an_expert_that_answers_at_once(demos, tmp_path):
    from_demos = (*COMMON, f"trainer.demonstrations={demos}")
    once = train(*from_demos, cwd=tmp_path, run="once")
    said = ok("train", *BY_FILE, *from_demos, "expert=file", "hydra.run.dir=run", cwd=tmp_path)
    assert "round 2 waits for labels: 0 of 100 states are answered" in said
    run = tmp_path / "run"
    assert "0 of 100" in ok("train", "resume=run", cwd=tmp_path)  # nothing has been answered yet
    write_answers(run, 2, tmp_path / "part.csv", slice(0, 60))
    assert "open      40 of 100" in ok(
        "answer", "run=run", "file=part.csv", "by=anna", cwd=tmp_path
    )
    assert "60 of 100 states" in ok("train", "resume=run", cwd=tmp_path)
    write_answers(run, 2, tmp_path / "rest.npz", slice(50, None))
    out = ok("answer", "run=run", "file=rest.npz", "by=boris", cwd=tmp_path)
    assert "agreement 100.0% in 10 pairs" in out and "open      0 of 100" in out
    assert "round 3 waits for labels" in ok("train", "resume=run", cwd=tmp_path)
    write_answers(run, 3, tmp_path / "third.csv")
    ok("answer", "run=run", "file=third.csv", cwd=tmp_path)
    ok("train", "resume=run", cwd=tmp_path)
    assert not set(differences(once, run)) - {"summary"}
    assert summary(once)["student"] == summary(run)["student"]
    nothing = dagger("ask", "run=run", cwd=tmp_path)
    assert nothing.code == 2 and "nothing is open" in nothing.err


def test_without_demonstrations_the_first_round_acts_at_random(tmp_path):
    words = (*BY_FILE, *COMMON, "expert=file", "rounds=1", "expert.least=0.5", "hydra.run.dir=run")
    assert "round 1 waits for labels" in ok("train", *words, cwd=tmp_path)
    write_answers(tmp_path / "run", 1, tmp_path / "half.npz", slice(0, 100, 2))
    ok("answer", "run=run", "file=half.npz", cwd=tmp_path)
    out = ok("train", "resume=run", cwd=tmp_path)
    assert "labels     50" in out
    assert "expert  " not in out.partition("evaluating")[2]
    ok("data", "export", "run=run", "format=npz", "path=half_of.npz", cwd=tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("beta=linear",), "add beta=constant beta.value=0"),
        (("trainer=smile",), "use trainer=dagger"),
        (("trainer=aggrevate", *COMMON[:2]), "use trainer=dagger"),
        ((*COMMON[:2], "-m", "seed=0"), "expert=file cannot be swept"),
        ((*COMMON[:2], "expert.least=0"), "expert.least must be in (0, 1]"),
    ],
)
def test_what_nobody_can_answer_at_once(words, said, tmp_path):
    done = dagger("train", *BY_FILE, "expert=file", *words, cwd=tmp_path)
    assert done.code == 2 and said in done.err and done.err.count("\n") == 1


TORQUES = Space("box", (2,), "float32", (-1.0, -1.0), (1.0, 1.0))
CHOICES = Space("discrete", (), "int64", sizes=(3,))


def asked(folder: Path, space: Space = CHOICES):
    obs = np.arange(8, dtype=np.float32).reshape(4, 2)
    seen = Observation(obs, np.arange(4))
    return write_questions(folder / "questions" / "round_0001", seen, space)


def given(questions, path: Path, rows, actions, by: str):
    np.savez(path, row=np.array(rows), state=questions.states[rows], action=np.array(actions))
    return take_answers(questions, read_answers(path, questions), by)


def test_questions_come_back(tmp_path):
    written = asked(tmp_path)
    read = read_questions(written.folder)
    assert read.action_space == CHOICES and np.array_equal(read.states, written.states)
    assert len(set(read.states.tolist())) == 4
    table = (written.folder / "states.csv").read_text().splitlines()
    assert table[0] == "row,state,step,observation_0,observation_1" and len(table) == 5


def test_pictures_are_files(tmp_path):
    seen = Observation(np.zeros((3, 8, 8, 3), np.uint8), np.arange(3))
    folder = write_questions(tmp_path / "questions" / "round_0001", seen, CHOICES).folder
    names = sorted(path.name for path in (folder / "pictures").iterdir())
    assert names == ["row_000000.png", "row_000001.png", "row_000002.png"]


def test_the_most_frequent_answer_counts_and_ties_go_to_the_first_name(tmp_path):
    questions = asked(tmp_path)
    given(questions, tmp_path / "a.npz", [0, 1, 2], [2, 0, 1], "anna")
    given(questions, tmp_path / "b.npz", [0, 1], [1, 0], "boris")
    given(questions, tmp_path / "c.npz", [0], [1], "carla")
    answers = all_answers(questions)
    labels, known = combined(questions, answers)
    assert known.tolist() == [True, True, True, False] and labels[:3].tolist() == [1, 0, 1]
    assert agreement(questions, answers) == (pytest.approx(2 / 4), 4)
    given(questions, tmp_path / "c.npz", [0], [0], "carla")
    assert combined(questions, all_answers(questions)).actions[0] == 2  # all differ: anna's


def test_real_numbers_are_averaged_and_a_single_answer_is_kept_bit_for_bit(tmp_path):
    questions = asked(tmp_path, TORQUES)
    one = np.array([[0.1, -0.3], [1.0, 0.7]], np.float32)
    given(questions, tmp_path / "a.npz", [0, 1], one, "anna")
    given(questions, tmp_path / "b.npz", [1], [[0.0, 0.1]], "boris")
    labels = combined(questions, all_answers(questions)).actions
    assert np.array_equal(labels[0], one[0]) and labels.dtype == np.float32
    assert labels[1] == pytest.approx([0.5, 0.4])
    assert agreement(questions, all_answers(questions))[0] == pytest.approx(1 - 0.4)


def test_a_second_file_of_a_name_replaces_rows(tmp_path):
    questions = asked(tmp_path)
    given(questions, tmp_path / "a.npz", [0, 2], [0, 0], "anna")
    both = given(questions, tmp_path / "a.npz", [2, 1], [2, 1], "anna")
    assert both.rows.tolist() == [0, 1, 2] and both.actions.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("row,state,action\n0,{0},3\n", "is 3, outside 0 to 2"),
        ("row,state,action\n0,{0},0.5\n", "actions are whole"),
        ("row,state,action\n0,{1},1\n", "answers another state in row 0"),
        ("row,state,action\n9,{0},1\n", "answers row 9, but there are rows 0 to 3"),
        ("row,state,action\n0,{0},1\n0,{0},1\n", "answers row 0 twice"),
        ("row,state,action\n0,{0},1\n1,{1}", "ends in the middle of line 3"),
        ("row,state,action\n0,{0},left\n", "something that is no number"),
        ("row,state\n0,{0}\n", r"no column 'action' \(it has row, state\)"),
        ("row,action\n0,1\n", r"no column 'state' \(it has row, action\)"),
        ("a,b\n0,left\n", r"no column 'row' \(it has a, b\)"),
        ("row,state,action\n", "has no answers"),
        ("row,state,action_0,action_1\n0,{0},1,1\n", "'action_1', but actions have 1 number"),
        ("", "is empty"),
    ],
)
def test_bad_answers_are_one_sentence_and_change_nothing(text, said, tmp_path):
    questions = asked(tmp_path)
    path = tmp_path / "a.csv"
    path.write_text(text.format(*questions.states))
    with pytest.raises(ConfigError, match=said) as err:
        read_answers(path, questions)
    assert "\n" not in str(err.value)
    assert all_answers(questions) == {}


def test_a_file_is_no_expert_that_is_scored(demos, tmp_path):
    """Before there are labels it acts at random, whose score says nothing."""
    for expert in (("expert=file",), ("expert=dataset", "expert.path=demos.npz")):
        for words in (("expert", "score"), ("eval", "checkpoint=expert")):
            done = dagger(*words, "env=cartpole", *expert, "episodes=1", cwd=tmp_path)
            assert done.code == 2 and done.out == "" and "plays no test episodes" in done.err


def test_a_sweep_is_refused_before_there_is_a_folder(tmp_path):
    done = dagger("train", "-m", *BY_FILE, *COMMON, "expert=file", "seed=0,1", cwd=tmp_path)
    assert done.code == 2 and done.err.count("\n") == 1 and not list(tmp_path.iterdir())
    assert "expert=file cannot be swept: each run pauses" in done.err


@pytest.mark.slow
def test_a_job_of_a_sweep_over_experts_says_that_it_cannot_pause(tmp_path):
    words = ("expert=bundled,file", "hydra.sweep.dir=sweep", *COMMON)
    done = dagger("train", "-m", *BY_FILE, *words, cwd=tmp_path)
    assert done.code == 2 and "expert=file cannot be swept" in done.err
    assert len(list((tmp_path / "sweep").glob("0_*/summary.json"))) == 1  # the other one is trained


@pytest.mark.slow
def test_a_run_that_waits_may_go_on_with_fewer_answers(tmp_path):
    words = (*BY_FILE, *COMMON, "expert=file", "rounds=1", "hydra.run.dir=run")
    ok("train", *words, cwd=tmp_path)
    write_answers(tmp_path / "run", 1, tmp_path / "a.npz", slice(0, 60))
    ok("answer", "run=run", "file=a.npz", cwd=tmp_path)
    assert "60 of 100 states" in ok("train", "resume=run", cwd=tmp_path)
    alone = dagger("train", "resume=run", "expert.least=0.5", cwd=tmp_path)
    assert alone.code == 2 and "only with expert=file: type that, too" in alone.err
    assert "labels     60" in ok(
        "train", "resume=run", "expert=file", "expert.least=0.5", cwd=tmp_path
    )


def test_latest_is_a_run_for_ask_and_answer_too(tmp_path):
    train("rounds=1", cwd=tmp_path, run="outputs/a")
    for words in (("ask", "run=latest"), ("answer", "run=latest", "file=a.csv")):
        done = dagger(*words, cwd=tmp_path)
        assert done.code == 2 and "outputs/a has asked nothing" in done.err


def test_answers_outside_a_box(tmp_path):
    questions = asked(tmp_path, TORQUES)
    path = tmp_path / "a.csv"
    path.write_text(f"row,state,action_0,action_1\n2,{questions.states[2]},0.5,-1.5\n")
    with pytest.raises(ConfigError, match=r"is -1.5, outside -1 to 1"):
        read_answers(path, questions)
    path.write_text(f"row,state,action_0,action_1\n2,{questions.states[2]},0.5,-1\n")
    assert read_answers(path, questions).actions.tolist() == [[0.5, -1.0]]


def test_a_name_is_no_path(tmp_path):
    questions = asked(tmp_path)
    with pytest.raises(ConfigError, match="must be a name"):
        given(questions, tmp_path / "a.npz", [0], [0], "../../anna")


def test_states_of_another_environment_are_noticed(tmp_path):
    words = (*BY_FILE, *COMMON, "expert=file", "rounds=1", "hydra.run.dir=run")
    ok("train", *words, cwd=tmp_path)
    states = tmp_path / "run" / "questions" / "round_0001" / "states.npz"
    arrays = dict(np.load(states, allow_pickle=False))
    arrays["state"] = arrays["state"][::-1]
    np.savez(states, **arrays)
    done = dagger("train", "resume=run", cwd=tmp_path)
    assert done.code == 2 and "are other ones than those in" in done.err


def test_the_readme_of_the_states_says_what_is_wanted(tmp_path):
    text = (asked(tmp_path, TORQUES).folder / "README.md").read_text()
    assert "`action_0` to `action_1`: real numbers, in the ranges -1 to 1; -1 to 1" in text
    assert json.dumps("dagger answer run=")[1:-1] in text


def test_answers_do_not_leave_the_run(tmp_path):
    questions = asked(tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (questions.folder / "answers").rmdir()
    (questions.folder / "answers").symlink_to(elsewhere)
    (tmp_path / "a.csv").write_text(f"row,state,action\n0,{questions.states[0]},1\n")
    done = dagger("answer", "run=run", "file=a.csv", cwd=tmp_path)
    assert done.code == 2 and "outside" in done.err and not any(elsewhere.iterdir())
