"""Types of keys are read from the annotations of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from dagger_cli.config.typed import signature_of, typed
from dagger_cli.core.errors import ConfigError


@dataclass
class Fit:
    rate: float
    steps: int | None
    sizes: Sequence[int]
    mode: Literal["a", "b"]
    on: bool
    name: str
    table: Mapping[str, float]
    anything: Any
    workers: int | Literal["auto"] = "auto"


def factory(inputs: int, *, width: int, **fit: Any) -> Fit: ...


def loose(width: int, **others: Any): ...


class Plain:
    def __init__(self, alpha: float, unknown, *args) -> None: ...


GOOD = {
    "rate": 0.5, "steps": None, "sizes": [1, 2], "mode": "b", "on": True, "name": "x",
    "table": {"a": 1.0}, "anything": object, "workers": 3,
}  # fmt: skip


def test_keys_are_those_of_the_target_and_of_the_class_a_factory_returns():
    assert (
        list(signature_of(Plain).keys) == ["alpha", "unknown"]
        and signature_of(Plain).keys["unknown"] is Any
    )
    assert set(signature_of(factory).keys) == {"inputs", "width", *signature_of(Fit).keys}
    assert set(signature_of(loose).keys) == {"width"}
    assert [signature_of(t).any_key for t in (loose, factory, Fit)] == [True, False, False]
    assert signature_of(Fit).needed == tuple(GOOD)[:-1]


def test_values_of_their_type_stay():
    assert typed(GOOD, signature_of(Fit).keys, "policy") == GOOD


@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("rate", 1, 1.0),
        ("steps", 100000.0, 100000),
        ("name", 3, "3"),
        ("sizes", [64.0], [64]),
        ("table", {"a": 2}, {"a": 2.0}),
        ("workers", "auto", "auto"),
    ],
)
def test_values_are_converted_where_nothing_is_lost(key, given, kept):
    value = typed({key: given}, signature_of(Fit).keys, "policy")[key]
    assert value == kept and type(value) is type(kept)


@pytest.mark.parametrize(
    ("key", "given", "sentence"),
    [
        ("rate", "fast", "policy.rate must be a number, got 'fast'"),
        ("rate", True, "policy.rate must be a number, got true"),
        ("steps", 1.5, "policy.steps must be a whole number or null, got 1.5"),
        ("steps", [1], r"policy.steps must be a whole number or null, got \[1\]"),
        ("sizes", "big", "policy.sizes must be a list of whole numbers, got 'big'"),
        ("sizes", ["x"], r"policy.sizes must be a list of whole numbers, got \['x'\]"),
        ("mode", "c", "policy.mode must be a or b, got 'c'"),
        ("on", "maybe", "policy.on must be true or false, got 'maybe'"),
        ("name", None, "policy.name must be text, got null"),
        ("table", [1], "policy.table must be a mapping of keys to values"),
        ("workers", "many", "policy.workers must be a whole number or auto, got 'many'"),
        ("ratee", 1, "there is no key 'policy.ratee'; did you mean 'policy.rate'?"),
        ("qwxyqwxyqwxyqwxy", 1, "there is no key 'policy.qwxyqwxyqwxyqwxy': leave it out"),
    ],
)
def test_others_are_refused_in_one_sentence(key, given, sentence):
    with pytest.raises(ConfigError, match=sentence):
        typed({key: given}, signature_of(Fit).keys, "policy")
