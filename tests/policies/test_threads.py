"""How many threads torch takes is a matter of the job, not of the one before it."""

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
