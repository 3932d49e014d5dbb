"""The number of torch threads is set by each job, independent of earlier ones."""

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
