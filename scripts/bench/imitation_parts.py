"""Expert and student for the library `imitation`; runs in that library's own environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import gymnasium
import torch
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

ACTIVATIONS = {"ReLU": torch.relu, "Tanh": torch.tanh}


class ArrayExpert(BasePolicy):
    """Deterministic agent of the arrays of `peers.export_expert`."""

    def __init__(
        self, obs_space: gymnasium.Space, act_space: gymnasium.Space, agent: Mapping[str, Any]
    ) -> None:
        super().__init__(obs_space, act_space)
        n = sum(name.startswith("weight_") for name in agent)
        self._layers = [
            [torch.from_numpy(agent[f"{part}_{i}"]) for part in ("weight", "bias")]
            for i in range(n)
        ]
        self._hidden = ACTIVATIONS[str(agent["activation"])]
        self._squash = bool(agent["squash"])
        self._statistics = None
        if "mean" in agent:
            variance = torch.from_numpy(agent["variance"]) + float(agent["epsilon"])
            self._statistics = torch.from_numpy(agent["mean"]), variance.sqrt()
            self._clip = float(agent["clip"])

    def _predict(self, observation: torch.Tensor, deterministic: bool = False) -> torch.Tensor:
        x = observation
        if self._statistics is not None:
            mean, deviation = self._statistics
            x = ((x - mean) / deviation).clamp(-self._clip, self._clip)
        x = x.float()
        for i, (weight, bias) in enumerate(self._layers):
            x = torch.nn.functional.linear(x, weight, bias)
            if i + 1 < len(self._layers):
                x = self._hidden(x)
        return torch.tanh(x) if self._squash else x


class Standardised(BaseFeaturesExtractor):
    """Layer that subtracts a mean from observations and divides them by a deviation."""

    def __init__(self, space: gymnasium.Space, mean: Any, deviation: Any) -> None:
        super().__init__(space, space.shape[0])
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("deviation", torch.as_tensor(deviation, dtype=torch.float32))

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Standardizes observations (n, k)."""
        return (obs.float() - self.mean) / self.deviation


def student_of(
    obs_space: gymnasium.Space, act_space: gymnasium.Space, sizes: list[int], obs: Any
) -> Any:
    """Returns a new policy of tanh layers, Adam 1e-3; standardizes by `obs` (n, k), if any."""
    if obs is None:
        return ActorCriticPolicy(obs_space, act_space, lambda _: 1e-3, net_arch=sizes)
    return ActorCriticPolicy(
        obs_space,
        act_space,
        lambda _: 1e-3,
        net_arch=sizes,
        features_extractor_class=Standardised,
        features_extractor_kwargs={"mean": obs.mean(0), "deviation": obs.std(0) + 1e-6},
    )


def layers_of(policy: Any) -> dict[str, Any]:
    """Returns a student's layers as `weight_<i>`, `bias_<i>`, and what it standardizes by."""
    state = policy.state_dict()
    extractor = policy.features_extractor
    standard = {
        name: getattr(extractor, name).numpy()
        for name in ("mean", "deviation")
        if isinstance(extractor, Standardised)
    }
    hidden = [
        name.removesuffix(".weight")
        for name in state
        if re.fullmatch(r"mlp_extractor\.policy_net\.\d+\.weight", name)
    ]
    return standard | {
        f"{part}_{i}": state[f"{name}.{part}"].numpy()
        for i, name in enumerate([*hidden, "action_net"])
        for part in ("weight", "bias")
    }
