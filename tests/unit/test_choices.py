"""Every action of a countable space, in its own type and order."""

import numpy as np
import pytest

from dagger_cli.core.actions import all_actions
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space


def test_all_actions_of_countable_spaces_in_their_own_type():
    one = Space("discrete", (), "int64", sizes=(3,), start=-1)
    assert all_actions(one, instead="").tolist() == [-1, 0, 1]
    both = all_actions(Space("multi_binary", (2,), "int8", sizes=(2, 2)), instead="")
    assert both.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] and both.dtype == np.int8


def test_too_many_actions_are_refused_with_advice():
    with pytest.raises(ConfigError, match=r"has 64 actions, too many .*; ask a friend"):
        all_actions(Space("multi_binary", (6,), "int8", sizes=(2,) * 6), instead="ask a friend")
