"""`policy=glyphs`: network for observations of a few small images and the previous predictions.

All letters share one encoder, convolutional or fully connected; the codes and the one-hot history
are the input of fully connected layers. During a fit each row's letters are shifted randomly by up
to `shift` pixels, and dropout applies to codes and hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.chunk_head import with_chunk
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.sources import use_threads
from dagger_cli.policies.torch_learner import TorchLearner

ENCODERS = ("conv", "dense")


@dataclass(frozen=True)
class Layout:
    """Layout of a flat observation: `letters` images of `image` pixels, then `rest` numbers."""

    image: tuple[int, int]
    letters: int
    rest: int

    @classmethod
    def of(cls, observations: Space, image: Sequence[int], history: int) -> Layout:
        """Returns the layout of observations that end with `history` numbers.

        Raises ConfigError where the remaining numbers are not a multiple of the image size.
        """
        rows, columns = image if len(image) == 2 else (0, 0)
        pixels = observations.size - history
        if min(rows, columns) < 4 or pixels < 1 or pixels % (rows * columns):
            raise ConfigError(
                f"policy=glyphs cannot read observations of {observations.size} numbers as images "
                f"of policy.image={list(image)} pixels (4 x 4 at least) and {history} numbers of "
                "history; use policy=mlp or policy=svm"
            )
        return cls((rows, columns), pixels // (rows * columns), history)


class Shift(nn.Module):
    """Data augmentation: shifts all images of a row together by up to `most` pixels."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, images: Tensor) -> Tensor:
        """Maps images (n, letters, rows, columns) to the same shape, padded with zeros."""
        if not self.training or self.most == 0:
            return images
        n, letters, rows, columns = images.shape
        padded = functional.pad(images, [self.most] * 4)
        offsets = torch.randint(0, 2 * self.most + 1, (2, n, 1))
        down = (torch.arange(rows) + offsets[0])[:, None, :, None]
        across = (torch.arange(columns) + offsets[1])[:, None, None, :]
        return padded[torch.arange(n)[:, None, None, None], _counted(letters), down, across]


def _counted(letters: int) -> Tensor:
    return torch.arange(letters)[None, :, None, None]


class Glyphs(nn.Module):
    """Network of `policy=glyphs`; `draws` marks that its forward pass in a fit is random."""

    draws = True

    def __init__(
        self,
        layout: Layout,
        outputs: int,
        *,
        encoder: str,
        code: int,
        sizes: Sequence[int],
        dropout: float,
        shift: int,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.shift = Shift(shift)
        self.encoder = (
            _conv(layout.image, code) if encoder == "conv" else _dense(layout.image, code)
        )
        layers: list[nn.Module] = []
        width = layout.letters * code + layout.rest
        for size in sizes:
            layers += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(dropout)]
            width = size
        self.answer = nn.Sequential(*layers, nn.Linear(width, outputs))
        self.dropout = nn.Dropout(dropout / 3)  # less for the codes, as there are few of them

    def forward(self, obs: Tensor) -> Tensor:
        """Maps observations (n, d) to outputs (n, outputs)."""
        numbers = obs.to(self.answer[-1].weight.dtype)  # type: ignore[arg-type]
        letters, (rows, columns) = self.layout.letters, self.layout.image
        pixels = letters * rows * columns
        images = self.shift(numbers[:, :pixels].reshape(-1, letters, rows, columns))
        codes = self.encoder(images.reshape(-1, 1, rows, columns)).reshape(obs.shape[0], -1)
        seen = torch.cat([self.dropout(codes), numbers[:, pixels:]], dim=1)
        return self.answer(seen)  # type: ignore[no-any-return]


def _conv(image: tuple[int, int], code: int) -> nn.Sequential:
    rows, columns = (ceil(ceil(side / 2) / 2) for side in image)
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(32 * rows * columns, code), nn.ReLU()),
    )


def _dense(image: tuple[int, int], code: int) -> nn.Sequential:
    hidden = (nn.Linear(prod(image), 2 * code), nn.ReLU())
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(2 * code, code), nn.ReLU())


def glyphs_learner(
    observations: Space,
    actions: Space,
    *,
    image: Sequence[int],
    history: int,
    encoder: str,
    code: int,
    sizes: Sequence[int],
    dropout: float,
    shift: int,
    loss: str | Callable[..., Any],
    threads: int | None,
    chunk: int = 1,
    chunk_decay: float = 1.0,
    **fit: Any,
) -> TorchLearner:
    """Creates the learner of `policy=glyphs`; `fit` is passed on to `TorchLearner`.

    Raises ConfigError where actions are not discrete or a value is invalid.
    """
    if actions.kind != "discrete":
        raise ConfigError(f"policy=glyphs labels letters, but actions are {actions.kind}; use mlp")
    if encoder not in ENCODERS:
        raise ConfigError(f"policy.encoder must be {' or '.join(ENCODERS)}; got '{encoder}'")
    if not 0 <= dropout < 1 or shift < 0 or min(code, *sizes, 1) < 1:
        raise ConfigError(
            "policy.dropout must be in [0, 1), policy.shift 0 or more, policy.code and "
            f"policy.sizes at least 1; got {dropout}, {shift}, {code} and {list(sizes)}"
        )
    use_threads(threads)
    layout = Layout.of(observations, image, history * actions.sizes[0])
    head = with_chunk(make_head(actions, loss), chunk, chunk_decay)

    def network() -> Glyphs:
        return Glyphs(
            layout,
            head.outputs,
            encoder=encoder,
            code=code,
            sizes=sizes,
            dropout=dropout,
            shift=shift,
        )

    return TorchLearner(network, head, normalize=False, **fit)
