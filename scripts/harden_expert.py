"""Continues training a gSDE agent of train_expert.py with stronger, fixed exploration noise.

    python scripts/harden_expert.py from=logs/a2c/BipedalWalker-v3_1 [noise=0.7] [rate=3e-4]
                                    [steps=2000000] [stop=450000] [seed=0] [out=hardened]

A2C reduces its exploration noise during training. The resulting walker is fast, but falls about
once in a hundred episodes without noise, as it was hardly ever perturbed in training. Here the log
standard deviation is raised by `noise` and held fixed, so that the gait must be robust; everything
else is rl_zoo3's tuned hyper-parameters. The learning rate falls from `rate` to 0 over `steps`;
`stop` ends the training earlier, which was enough. Writes a folder in rl_zoo3's layout, for
`train_expert.py from=<out>`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import gymnasium as gym
import torch
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

N_ENVS, EVAL_FREQ, EVAL_EPISODES = 16, 200_000, 100
DEFAULTS = {"noise": "0.7", "steps": "2000000", "stop": "450000", "rate": "3e-4", "seed": "0"}
DEFAULTS["out"] = "hardened"


class KeepStatistics(EvalCallback):
    """Callback that saves the normalization statistics with every new best model."""

    stop: int

    def _on_step(self) -> bool:
        best = self.best_mean_reward
        going_on = super()._on_step()
        if self.best_mean_reward > best:
            self.training_env.save(str(Path(self.best_model_save_path) / "vecnormalize.pkl"))
        return going_on and self.num_timesteps < self.stop


def main(words: list[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if "from" not in given or set(given) - {*DEFAULTS, "from"}:
        print(__doc__)
        return 2
    torch.set_num_threads(1)
    source, out = Path(given["from"]), Path(given["out"])
    env_id = source.name.rpartition("_")[0]
    (out / env_id).mkdir(parents=True, exist_ok=True)
    for name in ("config.yml", "args.yml"):
        shutil.copy(source / env_id / name, out / env_id)
    harden(env_id, source / "best", out, given)
    command = (source / env_id / "command.txt").read_text().strip()
    mine = f"scripts/harden_expert.py {' '.join(words)}"
    (out / env_id / "command.txt").write_text(f"{command} && python {mine}\n")
    return 0


def harden(env_id: str, start: Path, out: Path, given: dict[str, str]) -> None:
    seed, rate, steps = int(given["seed"]), float(given["rate"]), int(given["steps"])
    venv = make_vec_env(env_id, N_ENVS, seed=seed)
    env = VecNormalize.load(str(start / "vecnormalize.pkl"), venv)
    watched = VecNormalize(make_vec_env(lambda: gym.make(env_id), 1, seed=seed + 1000))
    watched.training, watched.norm_reward = False, False
    model = A2C.load(
        start / "best_model.zip",
        env=env,
        custom_objects={"learning_rate": lambda left: rate * left, "lr_schedule": None},
        device="cpu",
    )
    model.set_random_seed(seed)
    model.policy.log_std.data += float(given["noise"])
    model.policy.log_std.requires_grad = False
    callback = KeepStatistics(
        watched,
        n_eval_episodes=EVAL_EPISODES,
        eval_freq=EVAL_FREQ // N_ENVS,
        best_model_save_path=str(out / "best"),
        log_path=str(out),
    )
    callback.stop = int(given["stop"])
    model.learn(steps, callback=callback)
    model.save(out / f"{env_id}.zip")
    env.save(str(out / env_id / "vecnormalize.pkl"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
