"""Runs are equal bit for bit wherever labels are computed; a resumed run may change the place."""

from __future__ import annotations

import pytest
import yaml

from tests.e2e.running import TINY, dagger, differences

OWN = ("expert=python", "expert.target=tests.labellers.experts:balance", "steps_per_round=101")
WORDS = (*(word for word in TINY if word != "expert=bundled" and "steps_per" not in word), *OWN)
SHARED = ("labeller=processes", "labeller.workers=2")


@pytest.fixture(autouse=True)
def always_worth_it(monkeypatch):
    monkeypatch.setattr("dagger_cli.labellers.processes.WORTH", 0.0)


def train(*words, cwd, run):
    done = dagger("train", *WORDS, *words, f"hydra.run.dir={run}", cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    return cwd / run


@pytest.mark.parametrize(
    "words",
    [
        ("trainer=dagger", "beta=exponential"),
        *(
            pytest.param(words, marks=pytest.mark.slow)
            for words in (
                ("trainer=lols", "trainer.cost_rollouts.horizon=5"),
                ("trainer=searn", "trainer.costs=rollout", "trainer.cost_rollouts.horizon=5"),
                ("trainer=aggrevate", "trainer.cost_rollouts.horizon=5"),
                ("trainer=hg_dagger",),
                ("trainer=smile", "labeller.workers=3"),
                ("trainer=dart", "labeller.workers=1"),
                ("trainer=forward", "rounds=4"),
            )
        ),
    ],
    ids=lambda words: words[0],
)
def test_a_run_is_equal_bit_for_bit(words, tmp_path):
    here = [word for word in words if not word.startswith("labeller")]
    local = train(*here, cwd=tmp_path, run="local")
    shared = train(*SHARED[: 1 + (here == list(words))], *words, cwd=tmp_path, run="shared")
    assert differences(local, shared) == []


@pytest.mark.slow
def test_the_labeller_is_not_saved_and_a_resumed_run_may_change_it(tmp_path):
    whole = train("trainer=sup", "rounds=2", cwd=tmp_path, run="whole")
    short = train("trainer=sup", "rounds=1", *SHARED, cwd=tmp_path, run="short")
    assert "labeller" not in yaml.safe_load((short / "config.yaml").read_text())
    words = ("trust=[tests]", "rounds=2", "labeller=local")
    done = dagger("train", f"resume={short}", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(whole, short) == []


def test_an_expert_that_is_a_network_stays_here_with_a_note(tmp_path):
    done = dagger("train", *TINY, *SHARED, "rounds=1", cwd=tmp_path)
    assert done.code == 0
    assert "labeller=processes has no effect: this expert is a network" in " ".join(
        done.out.split()
    )


def test_a_random_function_stays_here_with_a_note(tmp_path):
    words = [word for word in WORDS if "target" not in word]
    target = "expert.target=tests.labellers.experts:forgetful"
    done = dagger("train", *words, target, *SHARED, "rounds=1", cwd=tmp_path)
    assert done.code == 0
    assert "this function is random or has a memory" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("labeller.workers=0", "labeller.workers must be at least 1, got 0"),
        ("labeller.workers=many", "labeller.workers"),
        ("labeller.worker=2", "did you mean"),
    ],
)
def test_bad_values_are_one_sentence(word, sentence, tmp_path):
    done = dagger("train", *WORDS, "labeller=processes", word, cwd=tmp_path)
    assert done.code == 2 and sentence in done.err and "Traceback" not in done.err
