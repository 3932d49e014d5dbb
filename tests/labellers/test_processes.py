"""Worker processes give the answers and the errors of this process, and end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import SafetyExpert
from dagger_cli.labellers.interface import Labelled
from dagger_cli.labellers.local import Local
from dagger_cli.labellers.processes import Processes

from .experts import CannotLoad, DrawingExpert, LoadsElsewhere, loader, rows

RNG = np.random.default_rng(0)


@pytest.fixture
def shared(monkeypatch):
    """Labels with worker processes, from two rows on; they are ended after the test."""
    monkeypatch.setattr("dagger_cli.labellers.processes.WORTH", 0.0)
    monkeypatch.setattr("tests.labellers.experts.IN_TEST", True)
    made: list[Labelled] = []
    before = set(multiprocessing.active_children())

    def label(load, workers, expert=None):
        made.append(Processes(workers).labelled(expert or load(), load))
        return made[-1]

    yield label
    for one in made:
        one.close()
        one.close()
    assert set(multiprocessing.active_children()) <= before


def answers(expert, n):
    return expert.act(rows(n), RNG).actions


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_answers_are_equal_bit_for_bit_whatever_the_workers_and_the_batch(workers, shared):
    load = loader("steer")
    expert = shared(load, workers).expert
    for n in (1, 2, 3, 7, 64, 1001):
        here, there = answers(load(), n), answers(expert, n)
        assert (here.dtype, here.tobytes()) == (there.dtype, there.tobytes())
    assert len(multiprocessing.active_children()) == workers
    assert expert.card == load().card


def test_local_is_the_expert_itself():
    expert = loader("steer")()
    assert Local().labelled(expert, loader("steer")).expert is expert


def test_an_error_is_the_sentence_of_this_process(shared):
    load = loader("fails")
    with pytest.raises(ExpertError) as here:
        answers(load(), 40)
    with pytest.raises(ExpertError) as there:
        answers(shared(load, 3).expert, 40)
    assert str(there.value) == str(here.value)
    assert "row 5 is too far away" in str(here.value)


def test_the_time_limit_holds_in_workers(shared):
    expert = shared(loader("hangs", timeout=0.2), 2).expert
    with pytest.raises(ExpertError, match=r"longer than 0\.2 s \(expert\.timeout\)"):
        answers(expert, 8)


def test_the_piece_of_a_dead_worker_goes_to_another(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    actions = answers(shared(loader("dies_once"), 2).expert, 20)
    assert (tmp_path / "died").exists()
    np.testing.assert_array_equal(actions, np.arange(20) % 2)


def test_a_state_that_kills_every_worker_is_one_sentence(shared):
    with pytest.raises(ExpertError, match=r"3 workers died over the same .* \(exit code -9"):
        answers(shared(loader("dies"), 2).expert, 20)


def test_an_expert_that_kills_its_worker_while_it_loads_is_one_sentence(shared):
    expert = shared(CannotLoad(), 1, loader("balance")()).expert
    with pytest.raises(ExpertError, match=r"3 workers died while they loaded the expert"):
        answers(expert, 20)


def test_a_worker_killed_between_batches_is_replaced(shared):
    expert = shared(loader("balance"), 2).expert
    first = answers(expert, 30)
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    assert answers(expert, 30).tobytes() == first.tobytes()


def test_an_expert_that_draws_is_refused(shared):
    expert = shared(DrawingExpert, 2).expert
    with pytest.raises(ExpertError, match=r"draws random numbers.* labeller=local"):
        answers(expert, 20)


def test_unsafe_actions_are_shared_out_too(shared):
    expert = shared(DrawingExpert, 2).expert
    assert isinstance(expert, SafetyExpert)
    np.testing.assert_array_equal(expert.unsafe_actions(rows(30)), rows(30).obs > 0)


def test_workers_must_have_the_same_expert(shared):
    expert = shared(LoadsElsewhere(), 1).expert
    with pytest.raises(ExpertError, match=r"has loaded another expert than this process"):
        answers(expert, 20)


@pytest.mark.parametrize(("name", "stays"), [("together", True), ("by_rows", False)])
def test_a_function_of_whole_batches_stays_here_unless_it_says_it_need_not(name, stays, shared):
    load = loader(name, batched=True)
    made = shared(load, 2)
    assert answers(made.expert, 50).tobytes() == answers(load(), 50).tobytes()
    assert bool(multiprocessing.active_children()) is not stays
    assert ["attribute rowwise" in note for note in made.notes] == [True] * stays


SCRIPT = """
import time
import numpy as np
from dagger_cli.labellers.processes import Processes
from tests.labellers.experts import loader, rows

if __name__ == "__main__":
    from dagger_cli.cli.process import end_on_signals
    end_on_signals()
    load = loader("slow")
    made = Processes(2).labelled(load(), load)
    made.expert.act(rows(50), None)
    print("labelling", flush=True)
    while True:
        made.expert.act(rows(500), None)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (signal.SIGINT, signal.SIGKILL)),
    ],
)
def test_no_process_is_left(number, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
    )
    assert parent.stdout.readline() == "labelling\n"
    time.sleep(0.1)
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)  # a terminal sends it to the whole group
    else:
        parent.send_signal(number)
    # Every process it started holds its output open, so this returns when the last one is gone.
    _, errors = parent.communicate(timeout=20)
    assert errors.count("Traceback") == (number != signal.SIGKILL), errors
