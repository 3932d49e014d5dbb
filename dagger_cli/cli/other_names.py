"""Hints for words that other programs use: flags, ids, and keys of other libraries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from dagger_cli.config.options import GROUPS, config_dir, options
from dagger_cli.config.schema import ROOTS

# Keys of stable-baselines3, rl_zoo3, imitation and others, and what they are called here.
_KEYS = {
    "algo": "trainer",
    "algorithm": "trainer",
    "batch_size": "policy.batch_size",
    "device": "policy.device",
    "env_id": "env.id",
    "epochs": "policy.epochs",
    "gradient_steps": "policy.gradient_steps",
    "hidden_sizes": "policy.sizes",
    "iterations": "rounds",
    "learning_rate": "policy.learning_rate",
    "lr": "policy.learning_rate",
    "n_epochs": "policy.epochs",
    "n_eval_episodes": "evaluation.episodes",
    "n_iters": "rounds",
    "n_labels": "labels",
    "n_rounds": "rounds",
    "n_steps": "steps_per_round",
    "n_timesteps": "labels",
    "net_arch": "policy.sizes",
    "num_envs": "n_envs",
    "num_epochs": "policy.epochs",
    "num_rounds": "rounds",
    "total_timesteps": "labels",
    "train_steps": "policy.gradient_steps",
}


def our_name(key: str) -> str | None:
    """Returns our key for another library's, such as `lr` and `policy.lr`; None if unknown."""
    last = key.rpartition(".")[2]
    ours = _KEYS.get(last)
    return ours if key in (last, f"policy.{last}", f"trainer.{last}") and ours != key else None


def flag_hint(words: Sequence[str]) -> str | None:
    """Returns the sentence for `--env cartpole`, None where no word looks like that."""
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        match = re.fullmatch(r"--?([A-Za-z][\w.-]+)(?:=(.*))?", word, re.S)
        if match is None:
            continue
        name = match[1].replace("-", "_")
        key = our_name(name) or name
        if key.partition(".")[0] not in _first_keys():
            continue
        value = match[2] or (after if after and not after.startswith("-") else "...")
        return (
            f"there is no flag {word.partition('=')[0]}: keys have no dashes; did you mean "
            f"{key}={value}?"
        )
    return None


def override_hint(word: str, after: str) -> str | None:
    """Returns the override meant by `env:cartpole`, by `env` before `cartpole`, or by `cartpole`.

    None where no word looks like a key or an option.
    """
    key, colon, value = word.partition(":")
    if key in _first_keys():
        return f"{key}={value if colon else after or '...'}"
    groups = [group for group, names in options().items() if word in names]
    return f"{groups[0]}={word}" if groups else None


def _first_keys() -> frozenset[str]:
    """Returns the groups and the keys outside of them, of every command."""
    keys = (name for root in ROOTS.values() for name in root.__annotations__)
    return frozenset(("beta", *options(), *keys))


def option_hint(group: str, option: str) -> str:
    """Returns `; ...` for an option that is the id of an environment or of a Hub repository."""
    if group == "env" and re.search(r"-v\d+$|/", option):
        for path in sorted((config_dir() / "env").glob("*.yaml")):
            if re.search(rf"^id: {re.escape(option)}$", path.read_text("utf-8"), re.M):
                return f"; {option} is env={path.stem}"
        return f"; for an id of Gymnasium, use env=gym env.id={option}"
    if group == "expert" and re.fullmatch(r"[\w.-]+/[\w.-]+", option):
        return f"; for a repository of the Hub, use expert=hub expert.repo_id={option}"
    if group in GROUPS and option.endswith(".zip"):
        return f"; for a file, use expert=path expert.path={option}" if group == "expert" else ""
    return ""


def hub_hint(path: str) -> str:
    """Returns `; ...` for a missing checkpoint that looks like a repository of the Hub."""
    if not re.fullmatch(r"[A-Za-z][\w.-]*/[\w.-]+", path) or path.startswith("outputs/"):
        return ""
    return (
        f"; for an agent on the Hub, use checkpoint=expert env=... expert=hub expert.repo_id={path}"
    )
