"""Checks of user-defined components, and the toy problem that they use.

Each check raises AssertionError with a message on the first violated rule. They need no test
framework:

    from dagger_cli.testing import check_trainer

    def test_my_trainer():
        check_trainer(MyTrainer())
"""

from dagger_cli.testing.envs import check_env
from dagger_cli.testing.loggers import check_logger
from dagger_cli.testing.policies import check_expert, check_learner, check_policy
from dagger_cli.testing.schedules import check_schedule
from dagger_cli.testing.track import toy_kit
from dagger_cli.testing.trainers import check_trainer

__all__ = [
    "check_env",
    "check_expert",
    "check_learner",
    "check_logger",
    "check_policy",
    "check_schedule",
    "check_trainer",
    "toy_kit",
]
