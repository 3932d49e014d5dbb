"""Short names of keys."""

from __future__ import annotations

# `import` cannot be a Python name, so the key is `imports`.
SHORT = {"beta": "beta_schedule", "env.import": "env.imports"}


def shorten(word: str) -> str:
    """Returns an override with its short name."""
    for short, name in SHORT.items():
        if word.startswith((f"{name}=", f"{name}.")):
            return short + word.removeprefix(name)
    return word
