"""Actors of Ray give the answers and the errors of this process.

One cluster serves the file, which takes one or two minutes; skipped where Ray is not installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.labellers.ray_actors import RayActors
from dagger_cli.utils.ray_engine import connected
from tests.e2e.running import differences

from .experts import DrawingExpert, LoadsElsewhere, loader, rows
from .test_runs import train

pytest.importorskip("ray")
# Ray leaves sockets and files open when its processes end.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def ray():
    ray = connected(None, 4)
    yield ray
    ray.shutdown()


@pytest.fixture
def shared(ray, monkeypatch):
    monkeypatch.setattr("dagger_cli.labellers.ray_actors.WORTH", 0.0)
    monkeypatch.setattr("tests.labellers.experts.IN_TEST", True)
    made = []

    def label(load, workers, expert=None):
        made.append(RayActors(None, workers, 1).labelled(expert or load(), load))
        return made[-1].expert

    yield label
    for one in made:
        one.close()
        one.close()


def answers(expert, n):
    return expert.act(rows(n), RNG).actions


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_are_equal_bit_for_bit(workers, shared):
    load = loader("steer")
    expert = shared(load, workers)
    for n in (1, 2, 3, 7, 64, 1001):
        here, there = answers(load(), n), answers(expert, n)
        assert (here.dtype, here.tobytes()) == (there.dtype, there.tobytes())


def test_an_error_is_the_sentence_of_this_process(shared):
    load = loader("fails")
    with pytest.raises(ExpertError) as here:
        answers(load(), 40)
    with pytest.raises(ExpertError) as there:
        answers(shared(load, 3), 40)
    assert str(there.value) == str(here.value)


def test_the_time_limit_holds_in_actors(shared):
    with pytest.raises(ExpertError, match=r"longer than 0\.2 s \(expert\.timeout\)"):
        answers(shared(loader("hangs", timeout=0.2), 2), 8)


def test_the_piece_of_a_dead_actor_goes_to_another(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    actions = answers(shared(loader("dies_once"), 2), 20)
    assert (tmp_path / "died").exists()
    np.testing.assert_array_equal(actions, np.arange(20) % 2)


def test_an_actor_killed_while_it_answers_is_replaced(ray, shared):
    expert = shared(loader("slow"), 2)
    first = answers(expert, 30)
    crew = expert._pool._crew
    give, given = crew.give, []

    def give_and_kill(worker, *job):
        give(worker, *job)
        given.append(worker)
        if len(given) == 3:
            ray.kill(crew._actors[worker], no_restart=True)

    crew.give = give_and_kill
    assert answers(expert, 400).tobytes() == answers(loader("slow")(), 400).tobytes()
    crew.give = give
    assert len(given) > 3 and answers(expert, 30).tobytes() == first.tobytes()


def test_a_state_that_kills_every_actor_is_one_sentence(shared):
    with pytest.raises(ExpertError, match=r"3 workers died over the same .* \(Ray says: "):
        answers(shared(loader("dies"), 2), 20)


def test_an_expert_that_draws_or_differs_is_refused(shared):
    with pytest.raises(ExpertError, match=r"draws random numbers.* labeller=local"):
        answers(shared(DrawingExpert, 1), 20)
    with pytest.raises(ExpertError, match="has loaded another expert than this process"):
        answers(shared(LoadsElsewhere(), 1), 20)


def test_a_run_is_equal_bit_for_bit(ray, tmp_path, monkeypatch):
    monkeypatch.setattr("dagger_cli.labellers.ray_actors.WORTH", 0.0)
    local = train("trainer=dagger", cwd=tmp_path, run="local")
    words = ("trainer=dagger", "labeller=ray", "labeller.workers=3")
    assert differences(local, train(*words, cwd=tmp_path, run="shared")) == []


def test_an_address_without_a_cluster_is_one_sentence():
    script = "from dagger_cli.utils.ray_engine import connected; connected('127.0.0.1:9')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f"{ConfigError.__module__}.ConfigError: cannot connect to Ray" in done.stderr


NODES = """
import threading, ray
from ray.cluster_utils import Cluster
from dagger_cli.labellers.ray_actors import RayActors
from tests.labellers.experts import loader, rows

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
node, load = cluster.add_node(num_cpus=1), loader("slow")
made = RayActors(cluster.address, None, 1).labelled(load(), load)
pool = made.expert._pool
while len(pool.ready) < 2:
    made.expert.act(rows(200), None)
threading.Timer(0.3, lambda: cluster.remove_node(node, allow_graceful=False)).start()
there, here = (expert.act(rows(1000), None).actions for expert in (made.expert, load()))
print("equal", there.tobytes() == here.tobytes(), pool.ready, flush=True)
made.close()
ray.shutdown()
cluster.shutdown()
"""


def test_a_lost_machine_costs_no_answer(tmp_path):
    """Two nodes on one machine, with an actor each; one node is killed while both answer."""
    (tmp_path / "nodes.py").write_text(NODES)
    path = os.pathsep.join(place or os.getcwd() for place in sys.path)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "nodes.py")],
        capture_output=True,
        text=True,
        timeout=120,
        env=environ | {"PYTHONPATH": path},
    )
    assert "equal True [0]\n" in done.stdout or "equal True [1]\n" in done.stdout, done.stderr


SCRIPT = """
from dagger_cli.labellers.ray_actors import RayActors
from tests.labellers.experts import loader, rows

if __name__ == "__main__":
    from dagger_cli.cli.process import end_on_signals
    end_on_signals()
    load = loader("slow")
    made = RayActors(None, 2, 1).labelled(load(), load)
    made.expert.act(rows(50), None)
    print("labelling", flush=True)
    while True:
        made.expert.act(rows(500), None)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(number, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    path = os.pathsep.join(place or os.getcwd() for place in sys.path)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environ |= {"PYTHONPATH": path, "DAGGER_TEST_MARK": f"{tmp_path}"}
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=environ,
    )
    assert parent.stdout.readline() == "labelling\n"
    assert len(marked(tmp_path)) > 3
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)
    else:
        parent.send_signal(number)
    parent.wait(20)
    # Ray's own agents notice only after a while that the process was killed.
    deadline = time.monotonic() + (120 if number == signal.SIGKILL else 20)
    while marked(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert marked(tmp_path) == []


def marked(folder):
    """Command lines of all processes that inherited the environment of the script."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"DAGGER_TEST_MARK={folder}\0".encode() in file.read():
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        found.append(file.read().replace(b"\0", b" ").decode()[:80])
        except OSError:
            continue
    return [line for line in found if line]
