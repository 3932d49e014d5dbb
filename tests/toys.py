"""The toy problem of dagger_cli/testing/track.py, under the name that tests know it by."""

from dagger_cli.testing.track import (
    HORIZON,
    Table,
    TableExpert,
    TableLearner,
    TrackEnv,
    expert_answers,
    toy_kit,
)

__all__ = [
    "HORIZON",
    "Table",
    "TableExpert",
    "TableLearner",
    "TrackEnv",
    "expert_answers",
    "toy_kit",
]
