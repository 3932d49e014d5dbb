"""Small batches of a fully connected agent: bit-identical to single rows, in reused buffers."""

import numpy as np
import pytest

from dagger_cli.core.types import Array, Space
from dagger_cli.networks.network import Network
from dagger_cli.networks.small_batch_float32 import ALONE
from dagger_cli.networks.spec import Head, Layer, Spec

SEEN = Space("box", (24,), "float32", (-np.inf,) * 24, (np.inf,) * 24)
ARM = Space("box", (4,), "float32", (-0.5,) * 4, (0.5,) * 4)


def network(kinds: str, clip: float | None = 10.0, bias: bool = True) -> Network:
    rng = np.random.default_rng(0)
    weights: dict[str, Array] = {"mean": rng.normal(size=24), "variance": rng.uniform(size=24)}
    width, left = 24, kinds.split().count("Linear")
    for i, kind in enumerate(kinds.split()):
        if kind == "Linear":
            left -= 1
            size = 64 if left else 4
            weights[f"layers.{i}.weight"] = rng.normal(size=(size, width)) / np.sqrt(width)
            if bias:
                weights[f"layers.{i}.bias"] = rng.normal(size=size)
            width = size
    layers = tuple(Layer(kind) for kind in kinds.split())
    return Network(Spec(SEEN, ARM, layers, Head("box"), clip=clip), weights)


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("kinds", ["Linear", "Linear Tanh Linear", "Linear ReLU Linear Tanh"])
def test_every_row_is_answered_as_alone_whatever_was_asked_before(
    kinds: str, clip: float | None
) -> None:
    plain = network(kinds, clip)
    assert plain._few is not None
    obs = np.random.default_rng(1).normal(size=(ALONE, 24)).astype(np.float32)
    alone = np.concatenate([plain.act(obs[i : i + 1], None) for i in range(ALONE)])
    answers = [plain.act(obs[:n], None) for n in (2, 7, ALONE, 5)]
    for answer in answers:
        np.testing.assert_array_equal(answer, alone[: len(answer)])
    assert np.abs(alone).max() == 0.5 and np.abs(alone).min() < 0.4  # some were clipped


@pytest.mark.parametrize("kinds", ["Linear GELU Linear", "Tanh Linear", "Linear Tanh Tanh Linear"])
def test_other_networks_go_the_general_way(kinds: str) -> None:
    assert network(kinds)._few is None


def test_without_a_bias_as_well() -> None:
    assert network("Linear Tanh Linear", bias=False)._few is None
