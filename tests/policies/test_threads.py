"""Threads: torch's are set by each job, independent of earlier ones, and OpenBLAS has one."""

import os
import subprocess
import sys

import pytest
import torch

from dagger_cli.policies.sources import use_threads
from dagger_cli.utils.system import one_torch_thread


def test_null_is_torchs_own_number_whatever_ran_before():
    before = torch.get_num_threads()
    try:
        use_threads(None)
        own = torch.get_num_threads()
        use_threads(own + 1)
        assert torch.get_num_threads() == own + 1
        use_threads(None)
        assert torch.get_num_threads() == own
    finally:
        torch.set_num_threads(before)


def test_an_expert_that_is_scored_has_one_thread(monkeypatch):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        one_torch_thread()
        assert torch.get_num_threads() == 3
        monkeypatch.delenv("OMP_NUM_THREADS")
        one_torch_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("given, used", [(None, "1"), ("3", "3")])
def test_the_command_limits_openblas_unless_told_otherwise(given, used):
    """Before NumPy is loaded: later the variable has no effect."""
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    env |= {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    code = (
        "import os, sys; from dagger_cli.cli.main import main; assert 'numpy' not in sys.modules; "
        "sys.argv = ['dagger', '--version']; main(); print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [used], done.stderr
