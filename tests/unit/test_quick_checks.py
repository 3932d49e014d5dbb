"""Which values of policy and view are refused before an environment is created, and how."""

from __future__ import annotations

import pytest

from dagger_cli.config.quick_checks import check_policy_and_view
from dagger_cli.core.errors import ConfigError

VIEW = {"_target_": "dagger_cli.views.view.View", "name": "full", "stack": 1}
WINDOW = {"_target_": "dagger_cli.policies.memory.window_learner", "name": "window", "window": 4}


def check(policy, view=VIEW, touched=()):
    check_policy_and_view({"policy": policy, "view": view}, touched)


@pytest.mark.parametrize(
    ("view", "touched", "words"),
    [
        ({"name": "stack", "stack": 3}, ["view"], "^view=stack shows .*leave view=stack out"),
        ({"name": "stack", "stack": 3}, ["view", "view.stack"], "^view.stack=3 shows the last 3"),
        ({"stack": 3}, [], r"^view.stack=3 .* acts on 4 \(policy.window\).*policy.window=3$"),
        ({"stack": 4, "delay": -1}, [], "view.delay must be 0 or more"),
    ],
)
def test_the_sentence_names_what_was_typed(view, touched, words):
    with pytest.raises(ConfigError, match=words):
        check(WINDOW, {**VIEW, **view}, touched)


@pytest.mark.parametrize(
    ("key", "value"),
    [("chunk", 0), ("window", 1), ("batch_size", 0), ("threads", 0), ("weight_decay", -1.0)],
)
def test_numbers_of_this_packages_policies_have_ranges(key, value):
    with pytest.raises(ConfigError, match=f"policy.{key} must be"):
        check({**WINDOW, key: value})
    check({**WINDOW, "_target_": "my_pkg.Mine", key: value})  # keys of its own


def test_what_fits_or_is_checked_later_passes():
    check(WINDOW, {**VIEW, "stack": 4})
    check(WINDOW, {"_target_": VIEW["_target_"]})
    check({**WINDOW, "chunk": "abc", "epochs": None}, {**VIEW, "stack": 4, "chunk": "abc"})
