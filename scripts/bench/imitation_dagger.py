"""DAgger of the library `imitation`, for peers.py to run in that library's own environment.

    python scripts/bench/imitation_dagger.py expert=EXPERT.npz out=FOLDER [labels=100000]
                                             [n_envs=8] [episodes=3] [ramp=15] [seed=0] [threads=1]

Tuned `SimpleDAggerTrainer`: 64-64 network, Adam 1e-3, batches of 128, 8 epochs per round, no
roll-outs for its log, no progress bar. It takes the least CPU time with one torch thread;
`threads=torch` uses torch's default, one per core, which is the default of the library. Ends after
the first round with `labels` labels in total; writes the learner's layers to FOLDER/student.npz,
and labels, rounds and the CPU seconds of this process, start-up included, to FOLDER/spent.json. In
a round each of `n_envs` environments finishes its episode, at least `episodes` in total: 8 of them
give some 8,000 labels per round. beta falls from 1 to 0 in `ramp` rounds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from imitation.algorithms import bc
from imitation.algorithms.dagger import LinearBetaSchedule, SimpleDAggerTrainer
from imitation.util.util import make_vec_env
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

DEFAULTS = {"expert": "", "out": "", "labels": "100000", "n_envs": "8", "episodes": "3"}
DEFAULTS |= {"ramp": "15", "seed": "0", "threads": "1"}
SB3_LAYERS = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")


class Normalised(BaseFeaturesExtractor):
    """Layer that normalizes observations with the agent's VecNormalize statistics."""

    def __init__(self, space: Any, mean: Any, variance: Any, clip: float, epsilon: float) -> None:
        super().__init__(space, space.shape[0])
        self._mean = torch.from_numpy(mean)
        self._deviation = torch.from_numpy(np.sqrt(variance + epsilon))
        self._clip = clip

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Normalizes and clips observations (n, k)."""
        return ((obs - self._mean) / self._deviation).clamp(-self._clip, self._clip).float()


def main(words: list[str]) -> None:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    if given["threads"] != "torch":
        torch.set_num_threads(int(given["threads"]))
    torch.manual_seed(int(given["seed"]))
    rng = np.random.default_rng(int(given["seed"]))
    venv = make_vec_env("BipedalWalker-v3", rng=rng, n_envs=int(given["n_envs"]))
    spaces = venv.observation_space, venv.action_space
    student = ActorCriticPolicy(*spaces, lambda _: 1e-3, net_arch=[64, 64])
    cloning = bc.BC(
        observation_space=spaces[0],
        action_space=spaces[1],
        rng=rng,
        policy=student,
        batch_size=128,
        device="cpu",
    )
    labels = 0
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SimpleDAggerTrainer(
            venv=venv,
            scratch_dir=scratch,
            expert_policy=expert_of(np.load(given["expert"]), *spaces),
            rng=rng,
            bc_trainer=cloning,
            beta_schedule=LinearBetaSchedule(int(given["ramp"])),
        )
        while labels < int(given["labels"]):
            trainer.train(
                1,  # one round
                rollout_round_min_episodes=int(given["episodes"]),
                bc_train_kwargs={"n_epochs": 8, "log_rollouts_venv": None, "progress_bar": False},
            )
            labels = sum(len(episode) for episode in trainer._all_demos)
            print(f"{labels:,} labels, {time.process_time():.1f} CPU s", flush=True)
        cpu, rounds = round(time.process_time(), 1), trainer.round_num
    np.savez(out / "student.npz", **layers_of(student))
    spent = {"labels": labels, "rounds": rounds, "cpu_seconds": cpu}
    (out / "spent.json").write_text(json.dumps(spent))


def expert_of(agent: Any, obs_space: gymnasium.Space, act_space: gymnasium.Space) -> Any:
    """Returns the agent as a stable-baselines3 policy: normalization, then its layers."""
    statistics = {"mean": agent["mean"], "variance": agent["variance"]}
    limits = {"clip": float(agent["clip"]), "epsilon": float(agent["epsilon"])}
    policy = ActorCriticPolicy(
        obs_space,
        act_space,
        lambda _: 0.0,
        net_arch=[64, 64],
        features_extractor_class=Normalised,
        features_extractor_kwargs={**statistics, **limits},
    )
    state = policy.state_dict()
    for i, name in enumerate(SB3_LAYERS):
        for part in ("weight", "bias"):
            state[f"{name}.{part}"] = torch.from_numpy(agent[f"{part}_{i}"])
    policy.load_state_dict(state)
    return policy


def layers_of(policy: Any) -> dict[str, Any]:
    state = policy.state_dict()
    return {
        f"{part}_{i}": state[f"{name}.{part}"].numpy()
        for i, name in enumerate(SB3_LAYERS)
        for part in ("weight", "bias")
    }


if __name__ == "__main__":
    main(sys.argv[1:])
