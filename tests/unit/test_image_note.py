"""A policy made for vectors that is given images gets a hint at policy=cnn."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dagger_cli.config.checks import image_notes


@pytest.mark.parametrize(
    ("policy", "shape", "dtype", "noted"),
    [
        ("mlp", (84, 84, 3), "uint8", True),
        ("linear", (84, 84, 3), "uint8", True),
        ("svm", (84, 84, 4), "uint8", True),
        ("cnn", (84, 84, 3), "uint8", False),
        ("mlp", (84, 84), "uint8", False),
        ("mlp", (8, 8, 3), "float32", False),
    ],
)
def test_images_for_a_policy_of_vectors_are_noted(policy, shape, dtype, noted):
    source = SimpleNamespace(observation_space=SimpleNamespace(shape=shape, dtype=dtype))
    notes = image_notes({"policy": {"name": policy}}, source)
    assert bool(notes) == noted and all("try policy=cnn" in note for note in notes)
