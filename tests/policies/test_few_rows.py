"""Small batches computed by NumPy equal the network's outputs in float64."""

import numpy as np
import pytest
import torch

from dagger_cli.core.types import Space
from dagger_cli.networks.forward import Forward
from dagger_cli.networks.modules import dense, initialise, mlp
from dagger_cli.networks.small_batch_float64 import MOST, Float64Rows, takes

SEEN = Space("box", (2, 3), "float32", (-np.inf,) * 6, (np.inf,) * 6)


def network(sizes, activation="relu"):
    net = mlp(SEEN, 3, sizes, activation)
    initialise(net, torch.Generator().manual_seed(0))
    net[0].take(torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(1)) * 3 + 1)
    return net


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("sizes", [(), (8,), (16, 5)])
def test_the_numbers_are_those_of_the_network(sizes, activation):
    net = network(sizes, activation)
    obs = 40 * np.random.default_rng(0).standard_normal((9, 2, 3))  # some are cut off
    wanted = net.double()(torch.from_numpy(obs)).detach().numpy()
    seen = obs.copy()
    np.testing.assert_allclose(Float64Rows(dense(net))(obs), wanted, rtol=1e-12, atol=1e-14)
    assert np.array_equal(obs, seen)


def test_whole_numbers_are_seen_as_they_are():
    few, obs = Float64Rows(dense(network((8,)))), np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(few(obs), few(obs.astype(np.float64)))


def test_layers_that_numpy_lacks_are_not_taken():
    assert takes(dense(network((8,), "tanh"))) and not takes(dense(network((8,), "gelu")))


def test_no_product_is_large_enough_for_threads():
    few = Float64Rows(dense(network((128, 128))))
    assert few.most == 31 and few.most * 128**2 <= MOST < 2**19
    obs = np.random.default_rng(0).standard_normal((31, 6))
    one_by_one = np.concatenate([few(obs[i : i + 1]) for i in range(31)])
    np.testing.assert_allclose(few(obs), one_by_one, rtol=1e-12)


def test_batches_of_every_size_are_answered_alike():
    net = network((300, 300))  # five rows by NumPy, all others by torch
    obs = np.random.default_rng(0).standard_normal((40, 2, 3))
    whole = Forward(net)(obs)
    for n in (1, 5, 6, 32):
        np.testing.assert_allclose(Forward(net)(obs[:n]), whole[:n], rtol=1e-12)
