"""Facts about the structure of a checkout, side by side: python scripts/house.py [before=PATH]

    Files that a trainer inside the repository takes, modules at the package's root, the largest
    folder and file, lines per raise statement, how often control changes file before the first
    training step of `dagger train env=bipedal beta=linear`, and how long commands take (needs the
    package's dependencies).

`before` is another checkout, such as `git worktree add ../before 8b680bf` makes.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "dagger_cli"
RECORDS = ("CHANGELOG", "conf/experiment", "docs/compare", "docs/benchmarks", "scripts")

COMMANDS = {
    "--help": ["--help"],
    "train --cfg job": ["train", "env=bipedal", "beta=linear", "--cfg", "job"],
    "a tiny run": [
        *("train", "env=cartpole", "expert=bundled", "rounds=1", "steps_per_round=8", "n_envs=2"),
        *("policy.gradient_steps=1", "validation.episodes=0", "evaluation.episodes=1"),
        *("env.max_episode_steps=5", "env.backend=gymnasium"),
    ],
}
# Runs a command and counts files of the package until the trainer's first step.
WALK = """
import importlib, os, sys

folder, module, *words = sys.argv[1:]
seen, changes, last = set(), 0, None

def count(frame, event, arg):
    global changes, last
    name = frame.f_code.co_filename
    if event == "call" and name.startswith(folder):
        seen.add(name)
        changes += name != last
        last = name

def stop(*args, **kwargs):
    sys.setprofile(None)
    print("WALK", len(seen), changes, flush=True)
    os._exit(0)

from dagger_cli.trainers import dagger

dagger.DAgger.step = stop
main = importlib.import_module(module).main
sys.argv = ["dagger", *words]
sys.setprofile(count)
main()
"""


def main() -> None:
    """Print the table."""
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(given) - {"before"}:
        sys.exit(__doc__)
    houses = {"now": ROOT}
    if "before" in given:
        houses = {"before": Path(given["before"]).resolve(), **houses}
    seconds = start_up(houses)
    facts = {name: house(root) | seconds[name] for name, root in houses.items()}
    width = max(len(key) for key in facts["now"])
    print(" " * width, *(f"{name:>28}" for name in facts))
    for key in facts["now"]:
        print(f"{key:<{width}}", *(f"{facts[name][key]:>28}" for name in facts))


def house(root: Path) -> dict[str, str]:
    """Return what is known of one checkout."""
    package = root / PACKAGE
    files = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    lines = {path: text.count("\n") for path, text in files.items()}
    folders = Counter(path.parent for path in files if path.name != "__init__.py")
    (biggest, n_files), longest = folders.most_common(1)[0], max(lines, key=lines.__getitem__)
    raises = sum(isinstance(node, ast.Raise) for text in files.values() for node in walk(text))
    at_root = sum(path.parent == package and not path.stem.startswith("__") for path in files)
    read, changes = first_step(root)
    return {
        "lines of the package": f"{sum(lines.values()):,}",
        "modules at its root": str(at_root),
        "largest folder": f"{n_files} {biggest.relative_to(package)}",
        "largest file": f"{lines[longest]} {longest.relative_to(package)}",
        "lines a raise statement": str(round(sum(lines.values()) / raises)),
        "docstrings What/How/Whether": str(sum(map(asks, files.values()))),
        "files of a trainer": str(files_of_a_trainer(root)),
        "files before the first step": str(read),
        "changes of file before it": str(changes),
    }


def walk(text: str) -> list[ast.AST]:
    """Return all nodes of a file."""
    return list(ast.walk(ast.parse(text)))


def asks(text: str) -> int:
    """Count docstrings that begin with a question word."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = [ast.get_docstring(node) or "" for node in walk(text) if isinstance(node, kinds)]
    return sum(doc.split(" ")[0] in {"What", "How", "Whether", "Where", "Who"} for doc in docs)


def files_of_a_trainer(root: Path) -> int:
    """Count what a new trainer takes: class, YAML, page, and every list of all trainers."""
    names = [path.stem for path in (root / "conf" / "trainer").glob("*.yaml")]
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout
    lists = []
    for name in tracked.splitlines():
        # Results of experiments and what changed list trainers, and need no new line.
        if not name.endswith((".py", ".md", ".yaml")) or name.startswith(RECORDS):
            continue
        words = re.sub(r"[^a-z]", " ", (root / name).read_text(encoding="utf-8").lower())
        if all(re.search(rf"\b{trainer.replace('_', ' ?')}\b", words) for trainer in names):
            lists.append(name)
    return 3 + len(lists)


def first_step(root: Path) -> tuple[int, int]:
    """Return how many files run, and how often control changes file, before the first step."""
    new = (root / PACKAGE / "cli" / "main.py").is_file()
    module = f"{PACKAGE}.cli.main" if new else f"{PACKAGE}.cli"
    words = ["train", "env=bipedal", "beta=linear", "expert=bundled"]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    with tempfile.TemporaryDirectory() as folder:
        words.append(f"hydra.run.dir={folder}/run")
        command = [sys.executable, "-c", WALK, str(root / PACKAGE), module, *words]
        done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True)
    line = next((x for x in done.stdout.splitlines() if x.startswith("WALK ")), "WALK 0 0")
    return int(line.split()[1]), int(line.split()[2])


def start_up(roots: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Return the shortest of five times of each command, the checkouts in turn."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(5):
        for what, words in COMMANDS.items():
            for name, root in roots.items():
                new = (root / PACKAGE / "cli" / "main.py").is_file()
                module = f"{PACKAGE}.cli.main" if new else f"{PACKAGE}.cli"
                begin = time.perf_counter()
                with tempfile.TemporaryDirectory() as folder:
                    into = [f"hydra.run.dir={folder}/run"] if "expert=bundled" in words else []
                    command = [sys.executable, "-m", module, *words, *into]
                    subprocess.run(command, cwd=root, capture_output=True, check=True)
                times[what, name].append(time.perf_counter() - begin)
    return {
        name: {f"seconds: {what}": f"{min(times[what, name]):.2f}" for what in COMMANDS}
        for name in roots
    }


if __name__ == "__main__":
    main()
