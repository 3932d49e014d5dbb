"""The network of `policy=scene`: invariances, and invalid observations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.envs.mario.observations import compact
from dagger_cli.policies.scene import Layout, Scene, scene_learner

LAYOUT = Layout(cells=6, flags=3, measures=2, things=3, thing_measures=2, thing_flags=2)
AT = LAYOUT.size - 3 * 4
FIT = {
    "optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 8,
    "epochs": None, "gradient_steps": 1, "warm_start": True, "decay": False,
}  # fmt: skip
BUTTONS = Space("multi_binary", (4,), "int8", sizes=(2, 2, 2, 2))


def network() -> Scene:
    torch.manual_seed(0)
    return Scene(LAYOUT, 5, code=8, sizes=[16]).double()


def rows(n: int = 20) -> torch.Tensor:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 256, (n, LAYOUT.size), np.uint8)
    drawn[:, : LAYOUT.cells + LAYOUT.flags] &= 1
    drawn[:, AT:].reshape(n, 3, 4)[..., 2:] = (1, 0)
    return torch.from_numpy(drawn)


def test_the_order_of_things_does_not_matter_and_what_they_are_does():
    one, obs = network(), rows()
    turned = obs.clone()
    turned[:, AT:] = obs[:, AT:].reshape(-1, 3, 4).flip(1).reshape(-1, 12)
    assert torch.allclose(one(obs), one(turned), atol=1e-12)
    turned[:, AT + 2 : AT + 4] = torch.tensor([0, 1], dtype=torch.uint8)
    assert not torch.allclose(one(obs), one(turned))


def test_a_thing_without_flags_is_not_there():
    one, obs = network(), rows()
    obs[:, -2:] = 0
    moved = obs.clone()
    moved[:, -4:-2] = 255 - moved[:, -4:-2]
    assert (obs != moved).any() and torch.equal(one(obs), one(moved))


def test_the_numbers_are_those_of_the_page():
    """Row by row, sprite by sprite, with NumPy; some sprites, and all of one row, are not there."""
    one, obs = network(), rows().numpy()
    obs[:, AT:].reshape(-1, 3, 4)[::3, 1, 2:] = 0
    obs[5, AT:].reshape(3, 4)[:, 2:] = 0
    scaled = lambda measures: (measures - 128) / 24  # noqa: E731

    def dense(x: np.ndarray, layers: torch.nn.Sequential) -> np.ndarray:
        for i in range(0, len(layers), 2):
            x = np.maximum(
                layers[i].weight.detach().numpy() @ x + layers[i].bias.detach().numpy(), 0
            )
        return x

    for row, found in zip(obs.astype(np.float64), one(torch.from_numpy(obs)), strict=True):
        player = np.r_[row[6:9], scaled(row[9:11])]
        codes = [np.zeros(8)] if not row[AT:].reshape(3, 4)[:, 2:].any() else []
        for sprite in row[AT:].reshape(3, 4):
            if sprite[2:].any():
                codes.append(dense(np.r_[scaled(sprite[:2]), sprite[2:], player], one.encoder))
        inner = dense(np.r_[row[:6], player, np.max(codes, axis=0)], one.body)
        wanted = one.last.weight.detach().numpy() @ inner + one.last.bias.detach().numpy()
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-12, atol=1e-12)


def learner(observations: Space, **changes: object):
    values = {
        "layout": vars(LAYOUT),
        "code": 4,
        "sizes": [8],
        "unsafe_penalty": 1.0,
        "threads": None,
    }
    return scene_learner(observations, BUTTONS, **{**values, **changes}, **FIT)


def flat(size: int) -> Space:
    return Space("box", (size,), "uint8", (0.0,) * size, (255.0,) * size)


def test_other_observations_and_no_units_are_refused():
    with pytest.raises(ConfigError, match="policy=scene reads observations of 23 numbers"):
        learner(flat(24))
    with pytest.raises(ConfigError, match=r"policy\.code"):
        learner(flat(23), code=0)


def test_the_shipped_layout_is_that_of_the_compact_observation():
    from omegaconf import OmegaConf

    from dagger_cli.config.options import config_dir

    layout = Layout(**OmegaConf.load(config_dir() / "policy" / "scene.yaml").layout)
    assert layout.cells == compact.QUESTIONS_AT
    assert layout.cells + layout.flags == compact.SCALARS_AT
    assert layout.measures == compact.SCALARS
    assert (layout.things, layout.thing) == (compact.NEAREST, compact.THING_NUMBERS)
    assert layout.thing_flags == compact.THING_FLAGS
    assert layout.size == compact.N_BYTES
