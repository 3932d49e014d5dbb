"""Students that act on a device in EnvPool's environments, and on pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from gpu_fits import Size, cnn, mlp, network_of, picture_data, walker_data
from gpu_lines import Line, apart, check, exact_products, skipped, timing

from dagger_cli.core.dataset import Dataset
from dagger_cli.policies.torch_learner import TorchLearner

Act = Callable[[Any], torch.Tensor]
CPU = torch.device("cpu")
SLOTS = 64
SAME = 1e-4  # relative; float32


def acting(device: torch.device, size: Size) -> Iterator[Line]:
    """Yields checks of the outputs, and times with the student on the CPU and on the device."""
    walkers = mlp("cpu", 1, 128, 256), walker_data(SLOTS)
    yield from outputs("mlp 256-256", *walkers, device, size)
    yield collection(*walkers, device, size)
    yield from outputs("cnn", cnn("cpu", 1, 128), picture_data(SLOTS), device, size)


def outputs(
    name: str, learner: TorchLearner, data: Dataset, device: torch.device, size: Size
) -> Iterator[Line]:
    """Yields the check of the outputs, and the time with copies to the device and back."""
    sides = [(_student(learner, data, where), where) for where in (CPU, device)]
    with exact_products():
        found = [[act(data.obs)] for act, _ in sides]
    yield check(f"{name}: outputs for {SLOTS} observations", apart(*found), SAME)

    def repeated(act: Act) -> Callable[[], Any]:
        return lambda: [act(data.obs) for _ in range(max(size.timed // 10, 1))]

    timed = [(repeated(act), where) for act, where in sides]
    what = f"{name}: acting on {SLOTS} observations"
    yield timing(what, f"cpu / {device.type}", size.repeats, *timed)


def collection(learner: TorchLearner, data: Dataset, device: torch.device, size: Size) -> Line:
    """Times env steps in EnvPool: observations go to the device and actions come back each time."""
    what = f"mlp 256-256: collection in EnvPool, {SLOTS} walkers"
    try:
        import envpool
        import gymnasium  # noqa: F401  EnvPool's Gymnasium interface needs it
    except ImportError as err:
        return skipped(what, f"{err.name} is not installed")
    env = envpool.make_gymnasium("BipedalWalker-v3", num_envs=SLOTS, seed=0)

    def play(where: torch.device) -> tuple[Callable[[], None], torch.device]:
        act = _student(learner, data, where)

        def steps() -> None:
            obs, _ = env.reset()
            for _ in range(size.timed):
                obs = env.step(torch.tanh(act(obs)).numpy())[0]

        return steps, where

    return timing(what, f"cpu / {device.type}", size.repeats, play(CPU), play(device))


def _student(learner: TorchLearner, data: Dataset, where: torch.device) -> Act:
    """Returns a function from observations to outputs, both on the host; the network is not."""
    network = network_of(learner, data, where).eval()

    def act(obs: Any) -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = network(torch.from_numpy(obs).to(where)).cpu()
        return found

    return act
