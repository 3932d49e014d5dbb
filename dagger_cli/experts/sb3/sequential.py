"""Reconstructs the layers of a torch `Sequential` from the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.networks.spec import Layer, under


class Piece(NamedTuple):
    """Layers in order, each with its arrays."""

    layers: tuple[tuple[Layer, dict[str, Array]], ...] = ()

    def __add__(self, other: Piece) -> Piece:  # type: ignore[override]
        return Piece(self.layers + other.layers)


_NATURE_STRIDES = (4, 2, 1)
_RENORM_NAMES = {"ra_mean", "ra_var", "scale", "bias", "steps"}


def step(kind: str) -> Piece:
    """Returns a layer without weights."""
    return Piece(((Layer(kind), {}),))


def mlp(
    tensors: Mapping[str, Array], activation: str, *, output: bool, renorm_epsilon: float = 0.0
) -> Piece:
    """Returns linear layers, each followed by the activation, except the last one if `output`.

    Batch renormalization (CrossQ) may precede any linear layer or be at the end.
    """
    blocks = _blocks(tensors)
    linear = [i for i, block in blocks.items() if _is_linear(block)]
    piece = Piece()
    expected = 0
    for i, block in blocks.items():
        if i != expected:
            raise ExpertError("it has layers without weights that a plain network does not have")
        if _is_linear(block):
            last = output and i == linear[-1]
            piece += _linear(block) + (Piece() if last else step(activation))
            expected = i + 2
        elif set(block) <= _RENORM_NAMES and "ra_mean" in block:
            piece += _renorm(block, renorm_epsilon)
            expected = i + 1
        else:
            raise ExpertError(
                f"it has a layer of an unsupported kind (tensors {', '.join(sorted(block))})"
            )
    if output and not linear:
        raise ExpertError("it has no output layer")
    return piece


def nature_cnn(tensors: Mapping[str, Array]) -> Piece:
    """Returns stable-baselines3's convolutions (Mnih et al. 2015), if there are any."""
    if not tensors:
        return Piece()
    convolutions = _blocks(under(tensors, "cnn."))
    final = under(tensors, "linear.0.")
    if list(convolutions) != [0, 2, 4] or not _is_linear(final) or len(tensors) != 8:
        raise ExpertError("its feature extractor is not the NatureCNN, the only one supported")
    piece = Piece()
    for stride, block in zip(_NATURE_STRIDES, convolutions.values(), strict=True):
        piece += Piece(((Layer("Conv2d", stride=stride), dict(block)),)) + step("ReLU")
    return piece + step("Flatten") + _linear(final) + step("ReLU")


def _blocks(tensors: Mapping[str, Array]) -> dict[int, dict[str, Array]]:
    blocks: dict[int, dict[str, Array]] = {}
    for name, value in tensors.items():
        match = re.fullmatch(r"(\d{1,4})\.(\w+)", name)
        if match is None:
            raise ExpertError(f"it has a tensor '{name[:80]}' that no supported network has")
        blocks.setdefault(int(match[1]), {})[match[2]] = value
    return dict(sorted(blocks.items()))


def _is_linear(block: Mapping[str, Array]) -> bool:
    return "weight" in block and block["weight"].ndim == 2 and set(block) <= {"weight", "bias"}


def _linear(block: Mapping[str, Array]) -> Piece:
    return Piece(((Layer("Linear"), dict(block)),))


def linear(tensors: Mapping[str, Array]) -> Piece:
    """Returns a single linear layer from tensors `weight` and optionally `bias`."""
    if not _is_linear(tensors):
        raise ExpertError("it lacks the linear layer of the action")
    return _linear(tensors)


def _renorm(block: Mapping[str, Array], epsilon: float) -> Piece:
    arrays = {
        "weight": block["scale"],
        "bias": block["bias"],
        "mean": block["ra_mean"],
        "variance": block["ra_var"],
    }
    return Piece(((Layer("BatchRenorm", epsilon=epsilon), arrays),))
