"""Allowed imports between packages, read from the source; modules that must stay unloaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dagger_cli

PACKAGE = Path(dagger_cli.__file__).parent

# Besides its own folder, each part may import these parts and no others.
ALLOWED = {
    "core": set(),
    "utils": {"core"},
    "loop": {"core"},
    "networks": {"core", "utils"},
    "trainers": {"core", "loop"},
    "envs": {"core", "data", "loop", "utils"},
    "views": {"core", "envs", "networks", "utils"},
    "data": {"core", "utils"},
    "experts": {"config", "core", "data", "networks", "utils"},
    "policies": {"core", "networks", "utils"},
    "tracking": {"core", "loop", "utils"},
    "loggers": {"core", "loop", "tracking", "utils"},
    "publish": {"core", "experts", "networks", "utils", "views"},
    "report": {"config", "core", "sweeps", "tracking", "utils"},
    "config": {"core", "loop", "utils"},
    "labellers": {"core", "utils"},
    "commands": {
        "config",
        "core",
        "data",
        "experts",
        "loggers",
        "loop",
        "networks",
        "publish",
        "report",
        "tracking",
        "utils",
        "views",
    },
    "sweeps": {"core", "tracking", "utils"},
    "hydra_plugins": {"core", "sweeps", "tracking", "utils"},
    "cli": {"commands", "config", "core", "hydra_plugins", "report", "sweeps", "tracking", "utils"},
    "api": {"cli", "config", "core", "tracking", "utils"},
    "testing": {"core", "loggers", "loop"},
    "__main__": {"cli"},
}
# A planner plans with the simulator itself: no protocol in core could stand for it.
EXCEPTIONS = {"experts/mario_planner": "dagger_cli.envs.mario"}
HYDRA_IS_KNOWN_TO = {"cli", "config", "hydra_plugins"}
RIM = {"envs", "experts", "labellers", "policies", "tracking"}


def part_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of every import in the file, wherever it stands; name is "" for `import x`."""
    package = ["dagger_cli", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((module, alias.name) for alias in node.names)


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_allowed(path):
    part = part_of(path)
    excepted = EXCEPTIONS.get(path.parent.relative_to(PACKAGE).as_posix())
    for module, name in imports(path):
        if excepted and f"{module}.".startswith(f"{excepted}."):
            continue
        top, _, inner = module.partition(".")
        if top == "dagger_cli":
            other = (inner or name).split(".")[0]
            ours = {part, "__version__"} | ALLOWED[part]
            assert other in ours, f"{part} must not import {module} ({name})"
        elif part == "core":
            assert top == "numpy" or top in sys.stdlib_module_names, f"core imports {module}"
        elif top in ("hydra", "omegaconf"):
            assert part in HYDRA_IS_KNOWN_TO, f"{part} must not know {top}"
        elif part == "trainers":
            assert top == "numpy" or top in sys.stdlib_module_names, f"trainers import {module}"


def test_each_exception_is_needed():
    for folder, module in EXCEPTIONS.items():
        found = {name for path in (PACKAGE / folder).glob("*.py") for name, _ in imports(path)}
        assert any(f"{name}.".startswith(f"{module}.") for name in found)


def test_the_table_is_complete_and_the_rim_knows_core_alone():
    assert {part_of(path) for path in FILES} <= set(ALLOWED)
    assert not any(ALLOWED[part] & (RIM | {"trainers"}) for part in RIM | {"trainers"})
    assert not any(
        "cli" in others for part, others in ALLOWED.items() if part not in ("__main__", "api")
    )


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running the code."""
    code += "\nimport sys; print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rpartition("LOADED ")[2].split())


HEAVY = {
    "torch", "hydra", "omegaconf", "gymnasium", "Box2D", "stable_baselines3", "rl_zoo3",
    "huggingface_hub", "tensorboard", "safetensors", "imageio", "rich",
}  # fmt: skip


def test_core_and_trainers_load_numpy_alone():
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for part in ("core", "trainers")
        for path in (PACKAGE / part).glob("*.py")
        if path.stem != "__init__"
    ]
    loaded = loaded_after("import dagger_cli, " + ", ".join(modules))
    assert "numpy" in loaded and not loaded & HEAVY


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['dagger', '--help']; from dagger_cli.cli.main import main; main()"
    )
    loaded = loaded_after(code)
    assert not loaded & (HEAVY | {"numpy"})


@pytest.mark.parametrize("word", ["view.stack=0", "policy.chunk=-1"])
def test_a_value_out_of_range_is_refused_before_anything_heavy_is_imported(word):
    words = ["train", "env=cartpole", "expert=bundled", word]
    code = (
        f"import sys; sys.argv = ['dagger', *{words}]; from dagger_cli.cli.main import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 2"
    )
    assert not loaded_after(code) & {"torch", "gymnasium"}


@pytest.mark.parametrize("words", [["runs", "--help"], ["runs", "tests/old_runs"]])
def test_commands_on_folders_load_neither_hydra_nor_torch(words):
    at = [str(PACKAGE.parent / word) if "/" in word else word for word in words]
    code = f"import sys; sys.argv = ['dagger', *{at}]; from dagger_cli.cli.main import main; main()"
    assert not loaded_after(code) & (HEAVY | {"matplotlib"})
