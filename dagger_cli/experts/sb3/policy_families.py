"""The five kinds of stable-baselines3 policies: which tensors are the actor, and its settings.

Critics and target networks are dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array, Space
from dagger_cli.experts.sb3.archive import Archive
from dagger_cli.experts.sb3.sequential import Piece, linear, mlp, nature_cnn
from dagger_cli.networks.activations import ACTIVATIONS
from dagger_cli.networks.spec import Head, Noise, under

SDE_MEAN_LIMIT = 2.0  # default `clip_mean` of SAC and TQC
RENORM_EPSILON = 0.001  # default `batch_norm_eps` of CrossQ


class Actor(NamedTuple):
    """The actor: layers after the observation, the head, and the arrays of its noise."""

    piece: Piece
    head: Head
    noise: dict[str, Array]


def actor_of(archive: Archive, action_space: Space) -> Actor:
    """Returns the actor; raises ExpertError where the policy is of no supported kind."""
    _check_policy_class(archive)
    names = archive.tensors
    for key, read in _FAMILIES.items():
        if any(name.startswith(key) for name in names):
            return read(archive, action_space)
    raise ExpertError(
        "its policy is of no supported kind "
        "(A2C, PPO, TRPO, DDPG, TD3, SAC, TQC, DQN, QR-DQN, ARS, CrossQ)"
    )


def _check_policy_class(archive: Archive) -> None:
    if archive.recurrent and any("features_extractor" in name for name in archive.tensors):
        raise ExpertError("recurrent policies of pictures (CnnLstmPolicy) are not supported")
    module = archive.text("policy_class", "__module__") or ""
    if module and not module.startswith(("stable_baselines3.", "sb3_contrib.")):
        raise ExpertError(f"its policy is custom code ('{module[:60]}'), which is never run")
    extractor = _option(archive, "features_extractor_class")
    if extractor and not re.search(r"\.(FlattenExtractor|NatureCNN)'", extractor):
        raise ExpertError(
            f"its feature extractor is custom code ({extractor[:60]}), which is never run"
        )


def _option(archive: Archive, name: str) -> str | None:
    return archive.text("policy_kwargs", name)


def _number(archive: Archive, name: str, default: float) -> float:
    text = _option(archive, name)
    try:
        return default if text is None else float(text)
    except ValueError as err:
        raise ExpertError(f"its '{name}' is not a number") from err


def _activation(archive: Archive, default: str) -> str:
    text = _option(archive, "activation_fn")
    if text is None:
        return default
    match = re.fullmatch(r"<class 'torch\.nn\.modules\.[\w.]+\.(\w+)'>", text)
    if match is None or match[1] not in ACTIVATIONS:
        raise ExpertError(f"its activation {text[:80]} is not supported")
    return match[1]


def _actor_critic(archive: Archive, space: Space) -> Actor:
    """Reads A2C, PPO, TRPO and unmasked MaskablePPO: `shared_net`, `policy_net`, `action_net`."""
    tensors, activation = archive.tensors, _activation(archive, "Tanh")
    own = under(tensors, "pi_features_extractor.")
    body = under(tensors, "mlp_extractor.")
    piece = (
        nature_cnn(own or under(tensors, "features_extractor."))
        + mlp(under(body, "shared_net."), activation, output=False)
        + mlp(under(body, "policy_net."), activation, output=False)
        + linear(under(tensors, "action_net."))
    )
    if space.kind == "box":
        squash = _option(archive, "squash_output") == "True"
        return _with_log_std(archive, piece, "log_std", Head("box", squash=squash))
    return Actor(piece, Head("bernoulli" if space.kind == "multi_binary" else "categorical"), {})


def _with_log_std(archive: Archive, piece: Piece, name: str, head: Head) -> Actor:
    """Adds the noise: one value per action, or the matrix of state-dependent exploration."""
    log_std = archive.tensors.get(name)
    if log_std is None or any("sde_features_extractor" in key for key in archive.tensors):
        return Actor(piece, head, {})  # noise from a separate network is obsolete
    noise: Noise = "gaussian" if log_std.ndim == 1 else "state_dependent"
    expln = _option(archive, "use_expln") == "True"
    head = Head("box", head.squash, head.mean_limit, noise, expln)
    return Actor(piece, head, {"log_std": log_std})


def _soft(archive: Archive, space: Space) -> Actor:
    """Reads SAC, TQC, CrossQ: a squashed Gaussian with a predicted or state-dependent scale."""
    tensors = under(archive.tensors, "actor.")
    epsilon = _number(archive, "batch_norm_eps", RENORM_EPSILON)
    latent = mlp(
        under(tensors, "latent_pi."),
        _activation(archive, "ReLU"),
        output=False,
        renorm_epsilon=epsilon,
    )
    body = nature_cnn(under(tensors, "features_extractor.")) + latent
    if "log_std.weight" in tensors:
        noise = {f"log_std.{key}": value for key, value in under(tensors, "log_std.").items()}
        piece = body + linear(under(tensors, "mu."))
        return Actor(piece, Head("box", squash=True, noise="gaussian_net"), noise)
    limited = "mu.0.weight" in tensors  # the mean is followed by a Hardtanh only if clip_mean > 0
    limit = _number(archive, "clip_mean", SDE_MEAN_LIMIT) if limited else None
    piece = body + linear(under(tensors, "mu.0." if limited else "mu."))
    return _with_log_std(
        archive, piece, "actor.log_std", Head("box", squash=True, mean_limit=limit)
    )


def _deterministic(archive: Archive, space: Space) -> Actor:
    """Reads DDPG, TD3: the network ends in the tanh of `squash`."""
    tensors = under(archive.tensors, "actor.")
    cnn = nature_cnn(under(tensors, "features_extractor."))
    piece = cnn + mlp(under(tensors, "mu."), _activation(archive, "ReLU"), output=True)
    return Actor(piece, Head("box", squash=True), {})


def _values(archive: Archive, space: Space) -> Actor:
    """Reads DQN and QR-DQN: the action with the largest value (mean of its quantiles)."""
    name = "q_net" if any(key.startswith("q_net.") for key in archive.tensors) else "quantile_net"
    tensors = under(archive.tensors, f"{name}.")
    cnn = nature_cnn(under(tensors, "features_extractor."))
    piece = cnn + mlp(under(tensors, f"{name}."), _activation(archive, "ReLU"), output=True)
    rate = archive.data.get("exploration_rate")
    epsilon = float(rate) if isinstance(rate, (int, float)) else 0.0
    return Actor(piece, Head("greedy", epsilon=epsilon), {})


def _random_search(archive: Archive, space: Space) -> Actor:
    """Reads ARS: no noise; by default its linear policy clips and the other one squashes."""
    piece = mlp(under(archive.tensors, "action_net."), _activation(archive, "ReLU"), output=True)
    if space.kind != "box":
        return Actor(piece, Head("greedy"), {})
    linear_policy = "ARSLinearPolicy" in json.dumps(archive.data.get("policy_class"))
    given = _option(archive, "squash_output")
    squash = not linear_policy if given is None else given == "True"
    return Actor(piece, Head("box", squash=squash), {})


_FAMILIES: dict[str, Callable[[Archive, Space], Actor]] = {
    "actor.latent_pi.": _soft,
    "actor.log_std": _soft,
    "actor.mu.": _deterministic,
    "q_net.": _values,
    "quantile_net.": _values,
    "mlp_extractor.": _actor_critic,
    "action_net.weight": _actor_critic,
    "action_net.0.": _random_search,
}
