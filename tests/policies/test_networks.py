"""Network architectures: inputs, outputs, and invalid settings."""

import numpy as np
import pytest
import torch

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.networks.layers import Standardise
from dagger_cli.networks.modules import cnn, initialise, mlp

from .learners import OBS


def image(*shape):
    size = int(np.prod(shape))
    return Space("box", shape, "uint8", (0.0,) * size, (255.0,) * size)


def test_standardise_takes_mean_and_deviation_of_all_rows():
    layer = Standardise(3)
    layer.take(torch.tensor([[1.0, 5.0, -2.0], [3.0, 5.0, 4.0]]))
    assert layer.mean.tolist() == [2, 5, 1]
    assert layer.std.tolist() == [1, 1, 3]  # the second never varies: it keeps its scale
    out = layer(torch.tensor([[3.0, 5.5, 4.0], [-99.0, 99.0, 1.0]]))
    assert out.tolist() == [[1, 0.5, 1], [-10, 10, 0]]


def test_standardise_is_exact_far_from_zero():
    rows = 1e6 + torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    layer = Standardise(1)
    layer.take(rows)
    assert layer.std.item() == pytest.approx(np.sqrt(1.25), rel=1e-6)


def test_standardise_takes_whole_numbers_and_flattens():
    layer = Standardise(4)
    layer.take(torch.arange(8, dtype=torch.uint8).reshape(2, 2, 2))
    assert layer.mean.tolist() == [2, 3, 4, 5] and layer(torch.zeros(5, 2, 2)).shape == (5, 4)


def test_mlp_has_the_layers_asked_for():
    network = mlp(OBS, 2, [7, 5], "tanh")
    shapes = [tuple(p.shape) for p in network.parameters()]
    assert shapes == [(7, 3), (7,), (5, 7), (5,), (2, 5), (2,)]
    assert len([layer for layer in network if isinstance(layer, torch.nn.Tanh)]) == 2
    assert [tuple(p.shape) for p in mlp(OBS, 2, [], "relu").parameters()] == [(2, 3), (2,)]


@pytest.mark.parametrize("sizes", [[0], [8, -1]])
def test_mlp_refuses_sizes(sizes):
    with pytest.raises(ConfigError, match=r"policy.sizes must be positive whole numbers, got \["):
        mlp(OBS, 2, sizes, "relu")


def test_mlp_refuses_an_unknown_activation():
    with pytest.raises(
        ConfigError, match=r"policy.activation must be one of relu, .*; got 'swish'"
    ):
        mlp(OBS, 2, [8], "swish")


def test_initialisation_is_torchs_own_and_depends_on_the_generator_alone():
    def weights(seed):
        network = mlp(OBS, 2, [100], "relu")
        initialise(network, torch.Generator().manual_seed(seed))
        return network[1].weight.detach().clone()

    bound = 1 / np.sqrt(3)
    assert torch.equal(weights(0), weights(0)) and not torch.equal(weights(0), weights(1))
    assert weights(0).abs().max() <= bound and weights(0).abs().max() > 0.95 * bound


def test_cnn_gives_the_same_for_channels_last_and_first():
    last, first = cnn(image(36, 44, 3), 4), cnn(image(3, 36, 44), 4)
    for network in (last, first):
        initialise(network, torch.Generator().manual_seed(0))
    images = torch.randint(0, 256, (2, 36, 44, 3), dtype=torch.uint8, generator=torch.Generator())
    with torch.no_grad():
        a, b = last(images), first(images.permute(0, 3, 1, 2).contiguous())
    assert a.shape == (2, 4)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("shape", [(36, 44, 3), (3, 36, 44)])
def test_a_normalized_cnn_standardizes_every_pixel(shape):
    """What is still becomes 0, what is bright in one of four images -1/sqrt(3) and sqrt(3)."""
    network = cnn(image(*shape), 4, [2, 3, 4], 5, normalize=True)
    images = torch.full((4, *shape), 87, dtype=torch.uint8)
    images[2].view(-1)[10] = 187
    network[0].standard.take(images)
    seen = network[0](images)
    assert seen.shape == (4, 3, 36, 44) and seen.count_nonzero() == 4
    assert sorted(seen[seen != 0].tolist()) == pytest.approx([-(3**-0.5)] * 3 + [3**0.5])
    assert [tuple(p.shape) for p in network.parameters()][::2] == [
        *((2, 3, 8, 8), (3, 2, 4, 4), (4, 3, 3, 3), (5, 8), (4, 5)),
    ]


@pytest.mark.parametrize("sizes", [{"channels": [32, 64]}, {"channels": [1, 0, 1]}, {"units": 0}])
def test_cnn_refuses_sizes(sizes):
    with pytest.raises(ConfigError, match=r"policy\.(channels|units) must be "):
        cnn(image(36, 44, 3), 4, **sizes)


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (image(35, 80, 3), "at least 36 x 36 pixels, got 35 x 80; use policy=mlp"),
        (image(1, 80, 20), "at least 36 x 36 pixels, got 80 x 20"),
        (image(36, 36), "needs uint8 images"),
        (OBS, r"observations are float32 of shape \(3,\); use policy=mlp"),
    ],
)
def test_cnn_refuses_what_it_cannot_see(space, sentence):
    with pytest.raises(ConfigError, match=sentence):
        cnn(space, 2)
