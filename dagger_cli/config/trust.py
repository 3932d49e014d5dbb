"""Security checks of configs read from checkpoints, which are untrusted input.

Such a config may only create classes of this package, each in its own group, and of packages that
the user trusts on the command line: `trust=[my_pkg]`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dagger_cli.config.schema import shipped_targets
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.utils.imports import import_object

DEEPEST = 20  # levels of a saved config; real ones have four, thousands cause RecursionError
# Packages from which each node of a config may be created: in another place even a class of this
# package could be made to import something.
_PLACES = {
    "env": "dagger_cli.envs.",
    "view": "dagger_cli.views.",
    "expert": "dagger_cli.experts.",
    "policy": "dagger_cli.policies.",
    "beta_schedule": "dagger_cli.core.schedules.",
    "trainer": "dagger_cli.trainers.",
    "trainer.beta": "dagger_cli.core.schedules.",
    "trainer.cost_rollouts": "dagger_cli.loop.cost_to_go.",
}
# Classes and losses of torch that may be named inside a policy: they only do arithmetic.
_LOSSES = r"nn\.functional\.(\w+_loss|\w*cross_entropy\w*|kl_div)"
_TORCH = re.compile(rf"torch\.((nn|optim)\.[A-Z]\w*|{_LOSSES})")
_IMPORTED_BY = {"env": ("imports", "id"), "expert": ("target",)}  # values that are imported
# Only the parts of these packages listed above may be created from a checkpoint.
NEVER_TRUSTED = ("dagger_cli", "torch")
IMPORT_KEYS = ("env.imports", "env.id", "expert.target")


def trusted(trust: Any, named: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the packages that the user trusts.

    `trust` is the value of that key; `named` are values of `IMPORT_KEYS` on the command line, whose
    modules are trusted, too. Raises ConfigError where `trust` is not a list of packages.
    """
    packages = [trust] if isinstance(trust, str) else list(trust or ())
    for name in packages:
        if not isinstance(name, str) or not re.fullmatch(r"\w+(\.\w+)*", name):
            raise ConfigError(
                f"trust takes names of packages, such as trust=[my_pkg]; got {name!r}"
            )
        if _package(name) in NEVER_TRUSTED:
            raise ConfigError(f"trust=[{name}] would trust too much: name a package of your own")
    for key, value in named.items():
        packages += _modules(key, value)
    return tuple(packages)


def check_trust(saved: Mapping[str, Any], trust: tuple[str, ...], groups: Collection[str]) -> None:
    """Checks the groups of a saved config that a command is about to create.

    Raises CheckpointError for classes that are neither part of this package nor below one of the
    packages in `trust`, and for special keys of Hydra and interpolations of OmegaConf.
    """
    for name in groups:
        if not isinstance(saved.get(name), Mapping):
            raise CheckpointError(f"the checkpoint's config does not say what its {name} was")
    for place, node in _nodes(saved):
        _check_texts(node)
        if place.partition(".")[0] in groups:
            _check_target(place, node, trust)
    for group in groups:
        for key in _IMPORTED_BY.get(group, ()):
            value = saved[group].get(key)
            if key == "target" and value is not None:
                _check_origin(str(value), trust)
            for module in _modules(f"{group}.{key}", value):
                if not _below(module, trust):
                    raise CheckpointError(
                        f"the checkpoint's config imports '{module}' ({group}.{key}={value}), "
                        "which is not part of dagger-cli; if you trust it, add "
                        f"trust=[{_package(module)}]"
                    )


def check_can_be_loaded(config: Mapping[str, Any], groups: Collection[str]) -> None:
    """Checks the config of a new run: ConfigError for a class that no checkpoint may create.

    Such are classes of `NEVER_TRUSTED` that are not options of this package.
    """
    for group in groups:
        for place, node in _nodes(config.get(group), group):
            target = _target(node)
            if target and not _ships(target) and _package(target) in NEVER_TRUSTED:
                raise ConfigError(
                    f"{place}._target_={target} could not be loaded from this run's checkpoints: "
                    "use it in a class or function of your own module, and name that"
                )


def foreign_packages(config: Mapping[str, Any], groups: Collection[str]) -> tuple[str, ...]:
    """Returns the top-level packages that must be trusted to build these groups again."""
    names: dict[str, None] = {}
    for group in groups:
        node = config.get(group)
        for _, inner in _nodes(node):
            target = _target(inner)
            if target and not _ships(target):
                names[_package(target)] = None
        for key in _IMPORTED_BY.get(group, ()):
            value = node.get(key) if isinstance(node, Mapping) else None
            names |= {_package(module): None for module in _modules(f"{group}.{key}", value)}
    return tuple(names)


def _check_texts(node: Any) -> None:
    keys = [str(key) for key in node] if isinstance(node, Mapping) else []
    for text in (*keys, node):
        if isinstance(text, str) and "${" in text:  # saved configs are resolved
            raise CheckpointError(
                f"the checkpoint's config has the interpolation {text!r}, which no saved run has; "
                "it is refused because a checkpoint must not choose what is run or read"
            )


def _check_target(place: str, node: Any, trust: tuple[str, ...]) -> None:
    keys = [str(key) for key in node] if isinstance(node, Mapping) else []
    target = _target(node)
    allowed = target is not None and _below(target, trust)
    for key in keys:
        # Special keys of Hydra: `_args_` would pass arguments besides the keys.
        if key != "_target_" and re.fullmatch(r"_\w+_", key) and not allowed:
            raise CheckpointError(
                f"the checkpoint's config has Hydra's '{key}' in {place}, which no run of this "
                "package has; it is refused because a checkpoint must not choose what is run"
            )
    if target is not None and allowed:
        _check_origin(target, trust)
    if target is None or allowed or (_ships(target) and target.startswith(_home(place))):
        return
    if _package(target) in NEVER_TRUSTED:
        raise CheckpointError(
            f"the checkpoint's config builds {place} from '{target}', which does not belong there; "
            "it is refused because a checkpoint must not choose what is run"
        )
    raise CheckpointError(
        f"the checkpoint's config builds {place} from '{target}', which is not part of dagger-cli; "
        f"if you trust it, add trust=[{_package(target)}]"
    )


def _check_origin(target: str, trust: tuple[str, ...]) -> None:
    """Checks that a name below a trusted package is also defined there.

    A package that imports `os` has a name `os.system`, too.
    """
    if not _below(target.replace(":", "."), trust):
        return  # refused, without being imported
    try:
        found = import_object(target)
    except (Exception, SystemExit):  # reported where it is created
        return
    origin = str(getattr(found, "__module__", None) or type(found).__module__)
    if not _below(origin, trust):
        raise CheckpointError(
            f"the checkpoint's config names '{target}', which is defined in '{origin}' and not "
            f"below trust=[{','.join(trust)}]; it is refused because a checkpoint must not choose "
            "what is run"
        )


def _home(place: str) -> str:
    """Returns the prefix of the targets allowed at a place, '?' (which matches none) if unknown."""
    return "torch." if place.startswith("policy.") else _PLACES.get(place, "?")


def _ships(target: str) -> bool:
    return target in shipped_targets() or _TORCH.fullmatch(target) is not None


def _below(module: str, trust: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in trust)


def _package(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]


def _modules(key: str, value: Any) -> list[str]:
    """Returns the modules that the value of such a key imports."""
    if value is None or value == "???":
        return []
    if key == "env.imports":
        return [str(name) for name in (value if isinstance(value, list) else [value])]
    text = str(value)
    if key == "env.id":  # module:Name-v0
        return [text.partition(":")[0]] if ":" in text else []
    return [text.replace(":", ".").rpartition(".")[0] or text]


def _nodes(node: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yields the node and its inner nodes with their places.

    Raises CheckpointError where they are nested deeper than DEEPEST.
    """
    if depth > DEEPEST:
        raise CheckpointError(
            f"the checkpoint's config is nested deeper than {DEEPEST} levels, which no saved run is"
        )
    yield place, node
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _nodes(value, f"{place}.{key}" if place else str(key), depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value, f"{place}[]", depth + 1)


def _target(node: Any) -> str | None:
    return str(node["_target_"]) if isinstance(node, Mapping) and "_target_" in node else None
