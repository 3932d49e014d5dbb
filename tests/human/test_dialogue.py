"""The dialogue and the controls, without a screen."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Space
from dagger_cli.experts.human.gamepad import stick_keys
from dagger_cli.experts.human.given import Input
from dagger_cli.experts.human.keys import BOX, DISCRETE, controls_for
from dagger_cli.experts.human.record import Answer, Record
from dagger_cli.experts.human.session import Hands, Outcome, Rules, heard

CHOICE = Space("discrete", (), "int64", sizes=(4,))
BOX2 = Space("box", (2,), "float32", (-1.0, 0.0), (1.0, 1.0))
BUTTONS = Space("multi_binary", (4,), "int8", sizes=(2, 2, 2, 2))


def controls(space=CHOICE, chosen=None, played=None, env_id="Own-v0", rate=4.0):
    return controls_for(env_id, space, chosen, played, rate)


def held(*keys, **sticks):
    return Input(keys, sticks=sticks)


def rules(space=CHOICE, *, stepwise=False, gated=False, chosen=None):
    return Rules(controls(space, chosen), 10.0, stepwise, gated)


ARROWS = {"": 0, "left": 1, "up": 2, "up+left": 3}


def test_the_longest_chord_that_is_held_gives_the_action():
    keys = controls(chosen=ARROWS)
    rest = keys.rest
    given = [
        held(),
        held("left"),
        held("x", "up"),
        held("left", "up"),
        held(left=0.6),
        held(left=0.4),
    ]
    assert [int(keys.next(rest, one, 0.1)) for one in given] == [0, 1, 2, 3, 1, 0]
    assert keys.words(np.int64(3)) == "left+up"


def test_of_two_keys_the_last_pressed_one_counts():
    keys = controls(chosen={"left": 0, "right": 1})
    given = [Input(("left", "right")), Input(("right", "left"))]
    assert [int(keys.next(keys.rest, one, 0.1)) for one in given] == [1, 0]
    tapped = Input(("right",), ("left",)).after(Input())
    assert int(keys.next(keys.rest, tapped, 0.1)) == 0


def test_without_an_action_for_no_keys_the_last_one_continues():
    keys = controls(env_id="CartPole-v1", space=Space("discrete", (), "int64", sizes=(2,)))
    assert int(keys.next(np.int64(1), held(), 0.1)) == 1
    assert keys.words(np.int64(0)) == "left"


def test_a_lever_moves_by_its_rate_returns_and_stops_at_the_value():
    """Half ranges 1 and 0.5; four of them per second, 0.1 s a step."""
    levers = controls(BOX2, {"left": [0, -1], "right": [0, 1], "up": [1, 1]})
    action, seen = levers.rest, []
    for given in (held("right", "up"),) * 3 + (held("left"), held()):
        action = levers.next(action, given, 0.1)
        seen.append([round(float(part), 6) for part in action])
    assert seen == [[0.4, 0.2], [0.8, 0.4], [1.0, 0.6], [0.6, 0.4], [0.2, 0.2]]
    assert levers.next(levers.rest, held("left"), None).tolist() == [-1, 0]
    assert action.dtype == np.float32


def test_a_stick_sets_its_component_at_once():
    levers = controls(BOX2, {"left": [0, -1], "right": [0, 1], "up": [1, 1]})
    action = levers.next(levers.rest, Input(sticks={"left": 0.5, "up": 1.0}), 0.1)
    assert action.tolist() == [-0.5, 1.0]
    assert stick_keys((-0.5, 0.05)) == {"left": 0.5} and stick_keys((0.2, 0.9, 1)) == {
        "right": 0.2,
        "down": 0.9,
    }


def test_switches_set_their_components():
    mario = controls(BUTTONS, env_id="mario")
    assert mario.next(mario.rest, held("right", "space"), 0.1).tolist() == [0, 1, 1, 0]
    assert mario.words(np.array([0, 1, 0, 1])) == "right+x"


def test_old_codes_and_characters_of_gymnasium_are_names():
    old = {(): 1, (276,): 0, (275,): 2, (275, 276): 1}  # MountainCar
    assert controls(played=old).keys == {"left", "right"}
    atari = {("e",): 0, ("w", " "): 1, (ord("d"),): 2}
    assert controls(played=atari).keys == {"e", "w", "space", "d"}


@pytest.mark.parametrize("pattern", [*DISCRETE, *BOX])
def test_the_tables_give_whole_ranges(pattern):
    for table in (DISCRETE.get(pattern, {}), BOX.get(pattern, {})):
        values = [v if isinstance(v, int) else v[0] for v in table.values()]
        assert set(values) == set(range(len(set(values))))


def test_the_keys_of_the_lander_turn_it_their_way():
    """`left` turns it to the left (its angle grows) and `right` to the right."""
    import gymnasium

    keys = DISCRETE["LunarLander"]
    angles = {}
    for key in ("left", "right"):
        env = gymnasium.make("LunarLander-v3")
        env.reset(seed=1)
        start = env.unwrapped.lander.angle
        for _ in range(20):
            env.step(keys[key])
        angles[key] = env.unwrapped.lander.angle - start
        env.close()
    assert angles["right"] < angles["left"]


@pytest.mark.parametrize(
    ("space", "chosen", "sentence"),
    [
        (CHOICE, {"left": 4}, "an action from 0 to 3, got 4"),
        (CHOICE, {"left": [0, 1]}, "an action from 0 to 3"),
        (BOX2, {"left": 1}, r"must give \[component, value\]"),
        (BOX2, {"left": [2, 1]}, "a component from 0 to 1"),
        (BOX2, {"left": [1, -1]}, r"outside \[0, 1\]"),
        (BUTTONS, {"left": [0, 2]}, r"outside \[0, 1\]"),
        (CHOICE, {"escape": 0}, "is a command"),
        (CHOICE, {"foo": 0}, "there is no key 'foo'"),
        (CHOICE, {"left+spcae": 0}, "there is no key 'spcae'"),
        (BOX2, {"A": [0, 1]}, "write it small, 'a'"),
    ],
)
def test_keys_that_do_not_fit_are_refused(space, chosen, sentence):
    with pytest.raises(ConfigError, match=sentence):
        controls(space, chosen)


def test_too_many_actions_need_keys_of_the_user():
    with pytest.raises(ConfigError, match="no keys are known for the actions of 'Own-v0'"):
        controls(Space("discrete", (), "int64", sizes=(11,)))
    assert controls(Space("discrete", (), "int64", sizes=(3,), start=5)).table[frozenset("2")] == 7


def talk(rules, *looks, hands=None):
    """Returns what follows each look, and the hands after the last."""
    hands, outcomes = hands or Hands(rules.controls.rest), []
    for given, due in looks:
        hands, outcome = heard(rules, hands, given, due=due)
        outcomes.append(outcome)
    return outcomes, hands


def test_in_real_time_an_answer_comes_when_it_is_due_and_not_in_a_pause():
    press = Input(pressed=("p",))
    looks = [(held(), False), (held(), True), (press, True), (held(), True), (press, True)]
    outcomes, _ = talk(rules(chosen=ARROWS), *looks)
    assert [o is Outcome.ANSWER for o in outcomes] == [False, True, False, False, True]


def test_n_takes_one_step_of_a_pause():
    hands = Hands(controls(chosen=ARROWS).rest, paused=True)
    given = Input(("left",), ("n",))
    (outcome,), after = talk(rules(chosen=ARROWS), (given, False), hands=hands)
    assert outcome is Outcome.ANSWER and after.paused and int(after.action) == 1


def test_stepwise_every_state_waits_for_a_key_of_an_action():
    stepwise = rules(stepwise=True, chosen=ARROWS)
    left = Input(("left",), ("left",))
    looks = [(held(), True), (Input(pressed=("q",)), True), (left, True)]
    assert talk(stepwise, *looks)[0] == [Outcome.WAIT, Outcome.WAIT, Outcome.ANSWER]


def test_the_person_takes_over_and_gives_back_only_where_there_is_a_gate():
    enter = (Input(pressed=("return",)), False)
    assert [talk(rules(gated=True), *[enter] * n)[1].taking for n in (1, 2)] == [True, False]
    assert not talk(rules(), enter)[1].taking


def test_speed_goes_up_and_down_and_stays_within_its_range():
    faster, slower = (Input(pressed=("+",)), False), (Input(pressed=("-",)), False)
    speeds = [talk(rules(), *looks)[1].speed for looks in ([faster], [slower], [slower] * 9)]
    assert speeds == [1.5, 0.75, 0.125]


def test_escape_stops_and_a_lost_screen_pauses():
    assert talk(rules(), (Input(pressed=("escape",)), False))[0] == [Outcome.STOP]
    assert talk(rules(), (Input(away=True), True))[1].paused


ANSWER = Answer(7, (1.0,), False, 0, 0.1)


def record(tmp_path, *answers):
    kept = Record(tmp_path / "answers.jsonl")
    for answer in answers:
        kept.add(answer)
    kept.close()
    return Record(tmp_path / "answers.jsonl")


def test_answers_are_repeated_in_their_order_and_then_end(tmp_path):
    second = Answer(8, (0.1 + 0.2,), True, 0, 0.25)
    kept = record(tmp_path, ANSWER, second)
    assert [kept.repeated(7), kept.repeated(8), kept.repeated(9)] == [ANSWER, second, None]


def test_a_torn_last_line_is_removed(tmp_path):
    record(tmp_path, ANSWER, ANSWER)
    path = tmp_path / "answers.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    assert Record(path).left == 1 and path.read_text().count("\n") == 1


def test_an_answer_to_another_state_is_not_repeated(tmp_path):
    with pytest.raises(EnvError, match="line 1: this answer was given in another state"):
        record(tmp_path, ANSWER).repeated(6)


def test_a_shortened_or_altered_record_is_one_sentence(tmp_path):
    with pytest.raises(EnvError, match="has 1 answers, but the checkpoint was saved after 3"):
        record(tmp_path, ANSWER).seek(3)
    (tmp_path / "answers.jsonl").write_text('{"state": 1}\n')
    with pytest.raises(EnvError, match="line 1 is not an answer"):
        Record(tmp_path / "answers.jsonl")
