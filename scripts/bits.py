"""Checks that a change of the code leaves results bit-identical: digests of short runs.

    python scripts/bits.py out=bits.json               # before: record
    python scripts/bits.py against=bits.json           # after: compare; exit code 1 if any differ
    python scripts/bits.py ... code=/path/to/checkout  # run another checkout's code
    python scripts/bits.py ... only=searn,mario        # runs whose name contains one of these

A digest is the sha256 of the policies, environment states and labels in a run's checkpoints, and of
its final scores. Digests of different CPUs are not comparable.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared"))

SHORT = "rounds=3 steps_per_round=300 validation.episodes=3 evaluation.episodes=4"
FIT = "policy.gradient_steps=60"
NATURE = "policy.channels=[32,64,64] policy.units=512"
NATURE += " policy.learning_rate=3e-4 policy.batch_size=128"
CARTPOLE = f"env=cartpole expert=bundled {SHORT} {FIT}"
PENDULUM = f"env=pendulum expert=bundled {SHORT} {FIT}"
WALKER = f"env=bipedal expert=bundled {SHORT} {FIT}"
LETTERS = f"env=handwriting env.data=synthetic {SHORT}"
MARIO = f"env=mario {SHORT} env.workers=1"
COSTS = "steps_per_round=120"

RUNS = {
    "dagger": CARTPOLE,
    "sup": f"{CARTPOLE} trainer=sup",
    "smile": f"{PENDULUM} trainer=smile",
    "searn": f"{CARTPOLE} trainer=searn",
    "searn_rollout": f"{CARTPOLE} trainer=searn trainer.costs=rollout {COSTS}",
    "forward": f"{PENDULUM} trainer=forward rounds=4",
    "aggrevate": f"{CARTPOLE} trainer=aggrevate {COSTS}",
    "aggrevate_box": f"{PENDULUM} trainer=aggrevate steps_per_round=400",
    "lols": f"{CARTPOLE} trainer=lols {COSTS}",
    "dart": f"{PENDULUM} trainer=dart",
    "safe_dagger": f"{PENDULUM} trainer=safe_dagger",
    "ensemble_dagger": f"{CARTPOLE} trainer=ensemble_dagger trainer.size=3",
    "hg_dagger": f"{PENDULUM} trainer=hg_dagger",
    "episode_coin": f"{PENDULUM} trainer.mix_per=episode beta=exponential",
    "ogd": f"{CARTPOLE} trainer.update=ogd beta=inverse",
    "newest": f"{CARTPOLE} trainer.update=latest beta=constant beta.value=0.3",
    "envpool": WALKER,
    "gymnasium": f"{WALKER} env.backend=gymnasium env.workers=0",
    "workers": f"{WALKER} env.backend=gymnasium env.workers=2 beta=indicator",
    "lunarlander": f"env=lunarlander expert=heuristic {SHORT} {FIT} policy=linear",
    "on_disk": f"{WALKER} aggregate.storage=disk policy.optimizer=adamw policy.activation=silu",
    "original_walker": "experiment=original_walker expert=bundled rounds=2 steps_per_round=300",
    "images": f"env=gym env.id=CarRacing-v3 env.max_episode_steps=60 policy=cnn expert=python "
    f"expert.target=bits.steer rounds=2 steps_per_round=80 {FIT} n_envs=2 {NATURE} "
    "validation.episodes=2 evaluation.episodes=2",
    "svm": f"{LETTERS} policy=svm policy.row_visits=2000",
    "glyphs": f"{LETTERS} {FIT} policy=glyphs",
    "letters_mlp": f"{LETTERS} {FIT}",
    "mario_scene": f"{MARIO} policy=scene {FIT}",
    "mario_svm": f"{MARIO} policy=sparse_svm trainer=searn",
    "mario_mlp": f"{MARIO} policy=mlp {FIT} trainer=smile",
    "resumed": CARTPOLE,
}
# Agents of the Hub: the returns of three episodes.
AGENTS = {
    "a2c-BipedalWalker-v3": "env=bipedal",
    "ppo-CartPole-v1": "env=cartpole",
    "ddpg-Pendulum-v1": "env=pendulum",
    "dqn-CartPole-v1": "env=cartpole",
    "ppo-BipedalWalker-v3": "env=bipedal",
    "ppo-LunarLander-v2": "env=lunarlander",
    "ppo-MountainCarContinuous-v0": "env=mountaincar_continuous",
    "sac-Pendulum-v1": "env=pendulum",
    "tqc-Pendulum-v1": "env=pendulum",
}


def steer(obs: Any) -> Any:
    """Computes an expert's action for CarRacing-v3: steers to the brighter half of the image."""
    half = obs.shape[1] // 2
    side = float(obs[:, half:].mean()) - float(obs[:, :half].mean())
    return np.array([np.tanh(side / 10), 0.3, 0.0], np.float32)


def dagger(code: Path, words: str, *more: str) -> None:
    """Runs the command with the code of a checkout; exits with its error where it fails."""
    module = "dagger_cli" if (code / "dagger_cli" / "__main__.py").is_file() else "dagger_cli.cli"
    command = [sys.executable, "-m", module, *words.split(), *more]
    path = os.pathsep.join([str(code), str(ROOT / "scripts")])
    environ = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    done = subprocess.run(command, env=environ, cwd=code, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"$ {' '.join(command)}\n{done.stderr[-2000:]}")


def run_digest(code: Path, name: str, folder: Path) -> str:
    """Trains a run and returns its digest."""
    run = folder / name
    dagger(code, f"train {RUNS[name]}", f"hydra.run.dir={run}")
    if name == "resumed":
        dagger(code, f"train resume={run} rounds=5")
    sha = hashlib.sha256()
    files = sorted((run / "checkpoints" / "aggregate").iterdir())
    for which in ("last", "best"):
        files += [run / "checkpoints" / which / f"{part}.safetensors" for part in ("policy", "env")]
    for file in files:
        arrays = decoded(load_file(file))
        # Not who acted and what it led to, which rounds record for exports alone.
        sha.update(save({name: arrays[name] for name in arrays if not name.startswith("played.")}))
    summary = json.loads((run / "summary.json").read_text())
    scores = {who: {k: summary[who][k] for k in ("mean", "std")} for who in ("student", "expert")}
    sha.update(json.dumps(scores, sort_keys=True).encode())
    shutil.rmtree(run)
    return sha.hexdigest()[:32]


def decoded(arrays: dict[str, Any]) -> dict[str, Any]:
    """Returns the arrays of a file with observations as one of them, however they are stored."""
    if not any(name.startswith("obs.") for name in arrays):
        return arrays
    sys.path.insert(0, str(ROOT))
    from dagger_cli.core.row_forms import rows_in

    beside = {name: array for name, array in arrays.items() if not name.startswith("obs")}
    return {**beside, "obs": np.asarray(rows_in(arrays))}


def agent_digest(code: Path, name: str, folder: Path) -> str:
    """Evaluates the agent and returns a digest of its returns."""
    scores = folder / f"{name}.json"
    agent = SHARED / "hub" / "sb3" / name
    words = f"eval checkpoint=expert {AGENTS[name]} expert=path episodes=3"
    dagger(code, words, f"expert.path={agent}", f"json={scores}")
    returns = json.loads(scores.read_text())["returns"]
    return hashlib.sha256(json.dumps(returns).encode()).hexdigest()[:32]


def main() -> None:
    """Runs the command line of the module's docstring."""
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(given) - {"out", "against", "code", "only"} or not {"out", "against"} & set(given):
        sys.exit(__doc__)
    code = Path(given.get("code", ROOT)).resolve()
    wanted = given.get("only", "").split(",")
    agents = AGENTS if (SHARED / "hub").is_dir() else {}
    names = [name for name in (*RUNS, *agents) if any(part in name for part in wanted)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:

        def digest(name: str) -> str:
            made = run_digest if name in RUNS else agent_digest
            return made(code, name, Path(folder))

        digests = dict(zip(names, pool.map(digest, names), strict=True))
    if "out" in given:
        Path(given["out"]).write_text(json.dumps(digests, indent=2) + "\n")
    if "against" in given:
        before = json.loads(Path(given["against"]).read_text())
        moved = [name for name in names if before.get(name) != digests[name]]
        print(f"bits equal: {len(names) - len(moved)} of {len(names)}")
        for name in moved:
            print(f"  moved: {name}")
        sys.exit(bool(moved))


if __name__ == "__main__":
    main()
