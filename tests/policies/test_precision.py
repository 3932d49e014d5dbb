"""`policy.precision`: products in bfloat16, everything else in float32."""

import numpy as np
import pytest
import torch
from torch import nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.networks.gradients import gradient_of
from dagger_cli.policies.precision import FAST, check_precision, products


class Head:
    @staticmethod
    def loss(outputs, targets):
        assert outputs.dtype == torch.float32
        return nn.functional.mse_loss(outputs, targets)


@pytest.mark.parametrize("fast", [True, False])
def test_auto_takes_what_the_processor_multiplies_faster(fast, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {FAST[0]: fast}, raising=False)
    assert products("auto") is (torch.bfloat16 if fast else None)
    assert products("bfloat16") is torch.bfloat16
    assert products("float32") is None


def test_a_torch_that_does_not_say_what_the_processor_can_multiplies_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert products("auto") is None


def test_gradients_in_bfloat16_are_rounded_and_near_the_exact_ones():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(40, 30), nn.Tanh(), nn.Linear(30, 3))
    obs, targets = torch.randn(64, 40), torch.randn(64, 3)
    with torch.no_grad():
        _, exact = gradient_of(network, Head).of(obs, targets)
        value, rounded = gradient_of(network, Head, torch.bfloat16).of(obs, targets)
    assert value.dtype == torch.float32
    for a, b in zip(exact, rounded, strict=True):
        assert b.dtype == torch.float32 and not torch.equal(a, b)
        assert np.isclose(float((a - b).norm() / a.norm()), 0, atol=0.05)


def test_an_unknown_precision_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="auto, float32, bfloat16; got 'half'"):
        check_precision("half")
