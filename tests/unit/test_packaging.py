"""Packaging: every dependency is pinned, and a built wheel works outside the checkout."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dagger_cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
NAMED = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]
THEIRS = [r for r in NAMED if canonicalize_name(r.name) != PROJECT["name"]]


def applies(requirement: Requirement, extra: str = "", **environment: str) -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate({"extra": extra, **environment})


def pinned(name: str, **environment: str) -> list[str]:
    """The versions that constraints.txt allows for a package, on this or on the given Python."""
    return [
        specifier.version
        for pin in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name) and applies(pin, **environment)
        for specifier in pin.specifier
    ]


def installed_from(roots: list[Requirement]) -> set[str]:
    """The names of what the given requirements bring into this environment, themselves included."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(r.name), e) for r in roots for e in ("", *r.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        try:
            wants = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # the dev tools, where only the test extra is installed
        seen.add((name, extra))
        if name == "torch":
            wants = [text for text in wants if "platform_system" not in text]  # CUDA is torch's own
        for wanted in filter(lambda r: applies(r, extra), map(Requirement, wants)):
            waiting += [(canonicalize_name(wanted.name), e) for e in ("", *wanted.extras)]
    return {name for name, _ in seen}


def test_the_version_is_the_same_in_both_places():
    assert PROJECT["version"] == dagger_cli.__version__


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12"])
def test_each_dependency_has_one_pin_per_python_and_the_pin_is_allowed(python):
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    wanted = [r for r in THEIRS if applies(r, **environment)]
    found = {str(r): pinned(r.name, **environment) for r in wanted}
    assert {text: versions for text, versions in found.items() if len(versions) != 1} == {}
    assert [str(r) for r in wanted if found[str(r)][0] not in r.specifier] == []


def test_constraints_are_exact_and_name_no_extras():
    loose = [str(p) for p in PINS if [s.operator for s in p.specifier] != ["=="] or p.extras]
    assert loose == []  # pip refuses extras in a constraints file


def test_everything_our_dependencies_bring_in_is_pinned_too():
    unpinned = {name for name in installed_from(THEIRS) if len(pinned(name)) != 1}
    assert unpinned == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *words], check=True, capture_output=True, timeout=300)
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_a_wheel_holds_every_config_file_and_every_bundled_agent(wheel):
    conf = {f"dagger_cli/{p.relative_to(ROOT)}" for p in (ROOT / "conf").rglob("*.yaml")}
    agents = {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "dagger_cli/experts/agents").iterdir()
        if p.suffix in (".json", ".safetensors")
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert conf and agents
    assert (conf | agents) - held == set()
    assert {name.split("/")[0] for name in held} == {
        "dagger_cli",
        f"dagger_cli-{dagger_cli.__version__}.dist-info",
    }


@pytest.mark.slow
def test_an_installed_wheel_trains_from_another_folder(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = ["-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, *pip], check=True, capture_output=True, timeout=300)

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    show = "import dagger_cli, dagger_cli.config.options as o; "
    show += "print(dagger_cli.__file__, o.config_dir())"
    package = site / "dagger_cli"
    assert run("-c", show).split() == [str(package / "__init__.py"), str(package / "conf")]

    small = ["rounds=1", "steps_per_round=50", "validation.episodes=1", "evaluation.episodes=1"]
    run("-m", "dagger_cli.cli.main", "train", "env=cartpole", "expert=bundled", *small)
    (summary,) = elsewhere.rglob("summary.json")
    assert summary.is_relative_to(elsewhere / "outputs" / "cartpole")
