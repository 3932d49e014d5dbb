"""A gradient step captured as a CUDA graph, against the same step launched kernel by kernel."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from gpu_fits import BATCH, Batch, Size, Step, batches_there, descend, network_of, stepper
from gpu_lines import Line, exact_products, loss_and_weights, skipped, timing
from torch import Tensor, nn

from dagger_cli.core.dataset import Dataset
from dagger_cli.policies.torch_learner import TorchLearner

SAME = 1e-6  # relative: the same kernels in the same order
WARM_UP = 3  # steps before the capture, as torch asks for


def graph(learner: TorchLearner, data: Dataset, device: torch.device, size: Size) -> Iterator[Line]:
    """Yields the checks and the timing; with a constant learning rate, which a graph fixes."""
    what = f"mlp 256-256: CUDA graph of a step, {size.timed} steps"
    if device.type != "cuda":
        yield skipped(what, "CUDA graphs need a GPU")
        return
    given = list(batches_there(data, size.timed, BATCH, device))
    eager, weights = stepper(learner, network_of(learner, data, device))
    with exact_products():
        for _ in range(WARM_UP):  # as before the capture
            eager(*given[0])
        replay, others = captured(learner, data, device, given[0])
        few = given[: size.checked]
        one, other = descend(eager, few, weights), descend(replay, few, others)
    yield from loss_and_weights(what, one, other, SAME, SAME)
    yield timing(
        what,
        "eager / captured",
        size.repeats,
        (lambda: [eager(*batch) for batch in given], device),
        (lambda: [replay(*batch) for batch in given], device),
    )


def captured(
    learner: TorchLearner, data: Dataset, device: torch.device, batch: Batch
) -> tuple[Step, list[nn.Parameter]]:
    """Captures a step after WARM_UP steps on a batch; returns a function that replays it.

    Also returns the weights, which the capture itself does not change.
    """
    obs, targets = (tensor.clone() for tensor in batch)
    step, weights = stepper(learner, network_of(learner, data, device))
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            step(obs, targets)
    torch.cuda.current_stream().wait_stream(aside)
    whole = torch.cuda.CUDAGraph()
    with torch.cuda.graph(whole):
        loss = step(obs, targets)

    def replay(new_obs: Tensor, new_targets: Tensor) -> Tensor:
        obs.copy_(new_obs)
        targets.copy_(new_targets)
        whole.replay()
        return loss.clone()

    return replay, weights
