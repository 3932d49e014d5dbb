"""Small batches of a linear layer are bit-identical to single rows, for all layer shapes."""

import itertools

import pytest
import torch
from torch.nn.functional import linear

from dagger_cli.networks.small_batch_float32 import ALONE, each_alone


def layer(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Linear:
    made = torch.nn.Linear(*weight.shape[::-1], bias=bias is not None)
    with torch.no_grad():
        made.weight.copy_(weight)
        if bias is not None:
            made.bias.copy_(bias)
    return made


@pytest.mark.parametrize(
    "inputs, outputs",
    [*itertools.product((1, 3, 24, 64, 256), (1, 2, 3, 4, 6, 8, 64)), (24, 400), (400, 300)],
)
@pytest.mark.parametrize("biased", [True, False])
def test_a_few_rows_are_multiplied_as_one_by_one(inputs: int, outputs: int, biased: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(outputs, inputs, generator=generator)
    bias = torch.randn(outputs, generator=generator) if biased else None
    function = each_alone(layer(weight, bias))
    for rows in (1, 2, 7, 16, ALONE):
        x = torch.randn(rows, inputs, generator=generator)
        alone = torch.cat([linear(x[i : i + 1], weight, bias) for i in range(rows)])
        assert torch.equal(function(x), alone)


def test_more_rows_are_one_product() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(64, 64, generator=generator), torch.randn(64, generator=generator)
    x = torch.randn(ALONE + 1, 64, generator=generator)
    function = each_alone(layer(weight, bias))
    assert torch.equal(function(x), linear(x, weight, bias))
