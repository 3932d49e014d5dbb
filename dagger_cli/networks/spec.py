"""Description of a network that can be written as JSON: its input, layers and action head.

The weights are separate named arrays: `layers.<i>.weight` and so on for layer i, `log_std...` for
the action noise, `mean` and `variance` for the observation statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.one_hot import KINDS, MAX_FEATURES
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.activations import ACTIVATIONS

PARAMETRIC = frozenset({"Linear", "Conv2d", "BatchRenorm", "Flatten", "Standardise", "OneHot"})

T = TypeVar("T")
Weights = Mapping[str, Array]
HeadKind = Literal["box", "scaled", "categorical", "bernoulli", "greedy"]
Noise = Literal["none", "gaussian", "gaussian_net", "state_dependent"]


@dataclass(frozen=True)
class Layer:
    """One layer of the network; `kind` is the name of its torch module."""

    kind: str
    stride: int = 1
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in PARAMETRIC and self.kind not in ACTIVATIONS:
            raise ExpertError(f"a layer of kind '{self.kind}' is not supported")


@dataclass(frozen=True)
class Head:
    """Action head: how an action is computed from the outputs of the last layer.

    `box`: the outputs are a mean, limited to +-`mean_limit`, squashed by tanh and rescaled to the
    action bounds (`squash`) or clipped to them. `scaled`, of this package's learners: tanh scaled
    to the bounds, linear where an action lacks one. `greedy`: the argmax of n values (averaged over
    quantiles if there are several); samples are uniform with probability `epsilon`.
    """

    kind: HeadKind
    squash: bool = False
    mean_limit: float | None = None
    noise: Noise = "none"
    expln: bool = False
    epsilon: float = 0.0


@dataclass(frozen=True)
class Spec:
    """Network; `clip` and `epsilon` are those of the observation statistics (clip None: none).

    `double`: computes in float64, as this package's learners do; stable-baselines3 uses float32.
    `time_feature`: the last number of `observation_space` is the share of the episode's steps that
    is left, which the environment's own observation does not have (rl-zoo's TimeFeatureWrapper).
    `lstm`: an LSTM, whose arrays are `lstm.weight_ih_l0` and so on, is in front of the layers.
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
    time_feature: bool = False
    lstm: bool = False

    def __post_init__(self) -> None:
        space = self.observation_space
        if space.kind in KINDS and sum(space.sizes) > MAX_FEATURES:
            raise ExpertError(f"observations of {sum(space.sizes):,} choices are too many choices")

    @property
    def env_space(self) -> Space:
        """Observation space of the environment, without what is appended to it."""
        space = self.observation_space
        if not self.time_feature:
            return space
        return replace(space, shape=(space.size - 1,), low=space.low[:-1], high=space.high[:-1])

    def to_json(self) -> dict[str, Any]:
        """Returns a dict of plain values; `spec_from_json` is the inverse."""
        return asdict(self)

    def shape(self, weights: Weights) -> str:
        """Returns a summary such as `box (24,), Linear 64, Tanh, Linear 4, box (4,)`."""
        words = [f"{describe(self.observation_space)}"]
        words += ["with the time left"] if self.time_feature else []
        words += ["normalised"] if self.clip is not None else []
        words += [f"LSTM {weights['lstm.weight_hh_l0'].shape[1]}"] if self.lstm else []
        for i, layer in enumerate(self.layers):
            weight = weights.get(f"layers.{i}.weight")
            words.append(layer.kind if weight is None else f"{layer.kind} {weight.shape[0]}")
        return ", ".join([*words, describe(self.action_space)])


def under(tensors: Mapping[str, T], prefix: str) -> dict[str, T]:
    """Returns the tensors whose names begin with `prefix`, with the prefix removed."""
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def features(space: Space) -> int:
    """Returns the number of input features of one observation (one-hot for discrete spaces)."""
    return sum(space.sizes) if space.kind in KINDS else space.size


def is_image(space: Space) -> bool:
    """Returns whether stable-baselines3 treats it as an image: 3-d uint8 from 0 to 255."""
    return (
        space.kind == "box"
        and len(space.shape) == 3
        and space.dtype == "uint8"
        and set(space.low) == {0}
        and set(space.high) == {255}
    )


def must_fit(agent: Space, env: Space, what: str) -> None:
    """Raises ExpertError where the agent was trained with a different space."""
    same = (agent.kind, agent.shape, agent.sizes) == (env.kind, env.shape, env.sizes)
    if not same or (agent.start, agent.whole) != (env.start, env.whole):
        raise ExpertError(
            f"the expert was trained with the {what} {_exactly(agent)}, but the environment has "
            f"{_exactly(env)}; choose an expert for this environment, or check env.id"
        )


def _exactly(space: Space) -> str:
    start = f" from {space.start}" if space.start else ""
    return f"{describe(space)}{start} of {space.dtype}"


def describe(space: Space) -> str:
    """Returns a short text such as `box (24,)` or `discrete (4)`."""
    size = f"({', '.join(map(str, space.sizes))})" if space.sizes else str(space.shape)
    return f"{space.kind} {size}"[:80]
