"""A trained policy acts identically as an expert and after export."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from dagger_cli.core.types import Space
from dagger_cli.networks.action_heads import Outputs
from dagger_cli.networks.exported import ScaledModule
from dagger_cli.policies.heads import make_head

SPACES = {
    "numbers": Space("box", (2,), "float32", (-2.0, 0.0), (2.0, 1.0)),
    "whole numbers": Space("box", (2,), "int64", (0.0, -3.0), (10.0, 3.0)),
    "one value": Space("box", (2,), "float32", (0.0, 4.0), (1.0, 4.0)),
    "no bounds": Space("box", (2,), "float32", (-np.inf, -np.inf), (np.inf, np.inf)),
}


@pytest.mark.parametrize("name", SPACES)
def test_all_three_agree(name: str) -> None:
    space = SPACES[name]
    spec = cast(Any, SimpleNamespace(head=SimpleNamespace(kind="scaled"), action_space=space))
    numbers = np.random.default_rng(0).normal(size=(50, 2))
    wanted = make_head(space, "mse").actions(numbers)
    x = torch.from_numpy(numbers)
    found = Outputs(spec, {}).actions(x, x, None)
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == wanted.dtype == np.dtype(space.dtype)
    exported = ScaledModule(space)(x.float()).numpy()
    np.testing.assert_allclose(exported, wanted, rtol=1e-5, atol=1e-6)
