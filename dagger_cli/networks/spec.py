"""What a network of ours is, as plain JSON: its input, its layers and what its last numbers mean.

The weights travel beside it as named arrays: `layers.<i>.weight` and so on for layer i,
`log_std...` for the noise, `mean` and `variance` for the observation statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.activations import ACTIVATIONS

PARAMETRIC = frozenset({"Linear", "Conv2d", "BatchRenorm", "Flatten", "Standardise"})

T = TypeVar("T")
Weights = Mapping[str, Array]
HeadKind = Literal["box", "scaled", "categorical", "bernoulli", "greedy"]
Noise = Literal["none", "gaussian", "gaussian_net", "state_dependent"]


@dataclass(frozen=True)
class Layer:
    """One step of the network; `kind` is the name of the torch module it stands for."""

    kind: str
    stride: int = 1
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in PARAMETRIC and self.kind not in ACTIVATIONS:
            raise ExpertError(f"a layer of kind '{self.kind}' is not supported")


@dataclass(frozen=True)
class Head:
    """How the last layer's numbers become an action.

    `box` heads give a mean, limited to +-`mean_limit`, squashed by tanh and rescaled to the action
    bounds (`squash`) or clipped to them; a `scaled` head is our own students': tanh onto the bounds
    where an action has both, as it is elsewhere; `greedy` takes the best of n values (the mean over
    quantiles where there are several), and when sampling any action with probability `epsilon`.
    """

    kind: HeadKind
    squash: bool = False
    mean_limit: float | None = None
    noise: Noise = "none"
    expln: bool = False
    epsilon: float = 0.0


@dataclass(frozen=True)
class Spec:
    """The whole network; `clip` and `epsilon` belong to the observation statistics (None: none).

    `double`: it counts in float64, as our own students do; stable-baselines3 counts in float32.
    """

    observation_space: Space
    action_space: Space
    layers: tuple[Layer, ...]
    head: Head
    clip: float | None = None
    epsilon: float = 0.0
    scale: float = 1.0
    channels_last: bool = False
    double: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values, the inverse of `spec_from_json`."""
        return asdict(self)

    def shape(self, weights: Weights) -> str:
        """The network in words, such as `box (24,), Linear 64, Tanh, Linear 4, box (4,)`."""
        words = [f"{describe(self.observation_space)}"]
        words += ["normalised"] if self.clip is not None else []
        for i, layer in enumerate(self.layers):
            weight = weights.get(f"layers.{i}.weight")
            words.append(layer.kind if weight is None else f"{layer.kind} {weight.shape[0]}")
        return ", ".join([*words, describe(self.action_space)])


def under(tensors: Mapping[str, T], prefix: str) -> dict[str, T]:
    """The tensors whose names begin with `prefix`, without it."""
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def features(space: Space) -> int:
    """How many numbers a flat network sees of one observation (one-hot where it is a choice)."""
    return sum(space.sizes) if space.kind in ("discrete", "multi_discrete") else space.size


def is_image(space: Space) -> bool:
    """Whether stable-baselines3 would see an image: bytes from 0 to 255 in 3 dimensions."""
    return (
        space.kind == "box"
        and len(space.shape) == 3
        and space.dtype == "uint8"
        and set(space.low) == {0}
        and set(space.high) == {255}
    )


def must_fit(agent: Space, env: Space, what: str) -> None:
    """Raise one sentence where the agent was not made for such a space."""
    same = (agent.kind, agent.shape, agent.sizes) == (env.kind, env.shape, env.sizes)
    if not same or (agent.start, agent.whole) != (env.start, env.whole):
        raise ExpertError(
            f"the expert was trained with the {what} {_exactly(agent)}, but the environment has "
            f"{_exactly(env)}; choose an expert of this environment, or check env.id"
        )


def _exactly(space: Space) -> str:
    start = f" from {space.start}" if space.start else ""
    return f"{describe(space)}{start} of {space.dtype}"


def describe(space: Space) -> str:
    """Such as `box (24,)` or `discrete (4)`."""
    size = f"({', '.join(map(str, space.sizes))})" if space.sizes else str(space.shape)
    return f"{space.kind} {size}"[:80]
