"""The number of torch threads is set by each job, independent of earlier ones."""

import torch

from dagger_cli.policies.sources import use_threads


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
