"""What a run learns from data that were recorded before, and what its expert then cannot do."""

from __future__ import annotations

from typing import Any

from dagger_cli.config.components import EnvChoice, answers, built
from dagger_cli.config.plain import Config, updated
from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.recorded import Recorded
from dagger_cli.loop.trainer import Trainer

DEMONSTRATIONS = "dagger_cli.data.recorded.demonstrations"
SPREAD = "dagger_cli.data.recorded.spread"


def with_recorded(
    config: Config,
    budget: Budget,
    expert: Any,
    env: EnvChoice,
    trainer: Trainer,
    *,
    new: bool,
    all_rows: bool,
) -> tuple[Config, Budget, Recorded]:
    """Returns the config and the budget with the data of its first rounds.

    A resumed run, which is not `new`, has the rows of its demonstrations in its first round.
    `all_rows`: the budget of a run on a data set alone is the whole of it. Raises ConfigError
    where the data do not fit the environment, and where nobody can answer the trainer.
    """
    source = env.source
    spaces: dict[str, Any] = {
        "observations": source.observation_space,
        "actions": source.action_space,
        "env_id": str(source.id),
        "view": getattr(source, "seen", "full"),
    }
    _check_answers(config, expert, trainer)
    past = getattr(source, "with_past", False)
    path = config["trainer"].get("demonstrations")
    if path is not None:
        if not new:
            return config, budget, Recorded(())
        node = {"_target_": DEMONSTRATIONS, "path": path}
        return config, budget, built(node, "trainer", **spaces, past=past)
    if answers(expert) or not hasattr(expert, "rows"):
        return config, budget, Recorded(())
    own = getattr(source, "training_rows", None)  # those that are not held out
    rows = expert.rows(**spaces) if own is None else own()
    if all_rows:
        rounds = min(budget.rounds, len(rows))
        for key, value in (("labels", len(rows)), ("steps_per_round", None), ("rounds", rounds)):
            config = updated(config, key, value)
        budget = Budget(rounds, None, len(rows))
    node = {"_target_": SPREAD}
    return config, budget, built(node, "expert", rows=rows, budget=budget, past=past)


def _check_answers(config: Config, expert: Any, trainer: Trainer) -> None:
    """Raises ConfigError where the run asks an expert that does not answer at once."""
    if answers(expert):
        return
    if hasattr(expert, "check_trainer"):
        expert.check_trainer(trainer, config["rounds"])
    elif getattr(trainer, "asks_anew", True):
        path = config["expert"]["path"]
        raise ConfigError(
            f"trainer={config['trainer']['name']} asks its expert in new states, and a data set "
            f"has no answers there: use trainer=sup, or another expert with "
            f"trainer.demonstrations={path}"
        )
    if config.get("best") == "agreement":
        raise ConfigError(
            "best=agreement asks the expert in validation states, where this one does not answer: "
            "use best=return"
        )
