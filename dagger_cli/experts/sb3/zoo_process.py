"""rl_zoo3's training in a separate process, with checkpoints that it can be resumed from.

    python -m dagger_cli.experts.sb3.zoo_process <arguments of rl_zoo3.train>

rl_zoo3 itself saves neither the observation statistics nor the replay buffer of a checkpoint,
overwrites the best model's statistics at the end, and restarts schedules when it resumes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def main() -> None:
    """Trains. Unpickles only the run's own, trusted files; the result is read by our loader."""
    from rl_zoo3 import exp_manager, train

    checkpoints, statistics = exp_manager.CheckpointCallback, exp_manager.SaveVecNormalizeCallback
    learn = exp_manager.ExperimentManager.learn

    def complete_checkpoints(**options: Any) -> Any:
        kept = {"save_vecnormalize": True, "save_replay_buffer": True, "verbose": 0}
        return checkpoints(**{**options, **kept})

    def statistics_of_the_best(save_freq: int, save_path: str) -> Any:
        return statistics(save_freq=save_freq, save_path=str(Path(save_path).parent / "best"))

    def resume_schedules(manager: Any, model: Any) -> None:
        if manager.continue_training:
            whole = model.learn
            model.learn = lambda steps, **rest: whole(steps, reset_num_timesteps=False, **rest)
        learn(manager, model)

    exp_manager.CheckpointCallback = complete_checkpoints
    exp_manager.SaveVecNormalizeCallback = statistics_of_the_best
    exp_manager.ExperimentManager.learn = resume_schedules
    train.train()


if __name__ == "__main__":
    main()
