"""Launchers of sweeps, each run for real: the same runs, bit for bit, as one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagger_cli.sweeps.job_file import FINISHED, jobs_in
from dagger_cli.utils import system
from dagger_cli.utils.system import machine_cores, usable_cores

from .running import TINY, differences

WORDS = ("train", "-m", *TINY, "trainer=sup,dagger", "seed=0,1")
# A cluster of one node: an array of jobs is run in the background, `srun` runs what it is given.
SBATCH = r"""#!{python}
import os, re, subprocess, sys
script = sys.argv[-1]
n = int(re.search(r"--array=0-(\d+)", open(script).read())[1]) + 1
for i in range(n):
    env = {{**os.environ, "SLURM_JOB_ID": f"7{{i}}", "SLURM_ARRAY_JOB_ID": "7", "SLURM_PROCID": "0",
           "SLURM_ARRAY_TASK_ID": str(i), "SLURM_LOCALID": "0", "SLURM_NODEID": "0",
           "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1"}}
    subprocess.Popen(["bash", script], env=env, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, start_new_session=True)
print("Submitted batch job 7")
"""
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do [[ $1 == --unbuffered ]] && shift || shift 2; done
exec "$@"
"""
SACCT = """#!/bin/bash
echo "JobID|State|NodeList"
for i in 0 1 2 3; do echo "7_$i|RUNNING|here"; done
"""


def run(cwd: Path, *words: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dagger_cli", *words],
        cwd=cwd, env={**os.environ, "SDL_VIDEODRIVER": "dummy", **environ}, capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def basic(tmp_path_factory) -> tuple[Path, str]:
    cwd = tmp_path_factory.mktemp("basic")
    return cwd / "sweep", run(cwd, *WORDS, "hydra.sweep.dir=sweep")


def assert_equal(sweep: Path, out: str, basic: tuple[Path, str]) -> None:
    whole, expected = basic
    assert out.partition("\nreturn")[2] == expected.partition("\nreturn")[2]
    jobs = jobs_in(sweep)
    assert [job.status for job in jobs] == [FINISHED] * 4
    for job in jobs:
        assert differences(job.folder, whole / job.folder.name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["joblib", "submitit_local"])
def test_on_one_machine(name, tmp_path, basic):
    plugin = name.partition("_")[0]
    pytest.importorskip(f"hydra_plugins.hydra_{plugin}_launcher", reason=f"no {plugin} launcher")
    out = run(tmp_path, *WORDS, "hydra.sweep.dir=sweep", f"hydra/launcher={name}")
    assert_equal(tmp_path / "sweep", out, basic)


@pytest.mark.slow
def test_slurm(tmp_path, basic):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="no submitit launcher")
    tools = tmp_path / "bin"
    tools.mkdir()
    files = {"sbatch": SBATCH.format(python=sys.executable), "srun": SRUN, "sacct": SACCT}
    for name, text in files.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    words = ("hydra.sweep.dir=sweep", "hydra/launcher=submitit_slurm")
    assert_equal(tmp_path / "sweep", run(tmp_path, *WORDS, *words, PATH=path), basic)


@pytest.mark.slow
def test_ray(tmp_path, basic):
    pytest.importorskip("ray", reason="Ray is not installed")
    out = run(tmp_path, *WORDS, "hydra.sweep.dir=sweep", "hydra/launcher=ray")
    assert_equal(tmp_path / "sweep", out, basic)


@pytest.mark.slow
def test_a_lost_node_of_ray(tmp_path, basic):
    """Two nodes, one of which is killed while it trains: all jobs end, with the same numbers."""
    pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    long = ("train", "-m", *TINY, "rounds=60", "seed=0,1,2,3")
    one_by_one = run(tmp_path, *long, "hydra.sweep.dir=whole")
    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=1)
        lost = cluster.add_node(num_cpus=1)
        words = ("hydra.sweep.dir=sweep", "hydra/launcher=ray")
        address = f"hydra.launcher.ray.init.address={cluster.address}"
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dagger_cli", *long, *words, address],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_for(lambda: len([*tmp_path.glob("sweep/*/checkpoints/last")]) >= 2)
        cluster.remove_node(lost, allow_graceful=False)
        out, err = process.communicate(timeout=250)
    finally:
        process.kill()
        process.communicate()
        cluster.shutdown()
    assert process.returncode == 0, err
    assert out.partition("\nreturn")[2] == one_by_one.partition("\nreturn")[2]
    for job in jobs_in(tmp_path / "sweep"):
        assert differences(job.folder, tmp_path / "whole" / job.folder.name) == []


def wait_for(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


@pytest.mark.parametrize(
    ("given", "cores"),
    [({"n_jobs": 1}, None), ({"n_jobs": -1}, 1), ({"n_jobs": 10_000}, 1), ({}, None),
     ({"cpus_per_task": 3}, 3), ({"cpus_per_task": None}, None)],
)  # fmt: skip
def test_jobs_share_the_cores(given, cores, monkeypatch):
    from omegaconf import OmegaConf

    from dagger_cli.cli.jobs import share_cores

    monkeypatch.setattr(system, "_limit", None)
    share_cores(OmegaConf.create(given))
    assert usable_cores() == (machine_cores() if cores is None else cores)


def test_the_words_of_a_job_can_be_sent_to_other_processes():
    import pickle

    from dagger_cli.cli.jobs import Task

    task = Task("train", retry=True)
    assert pickle.loads(pickle.dumps(task)) == task
