"""Learner of networks: minibatch gradient descent on labelled states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dagger_cli.core.compact import row_bytes
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.progress import fitted
from dagger_cli.core.types import Array, Fitted, Policy
from dagger_cli.core.windows import Windows
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.chunked import Chunked
from dagger_cli.networks.gradients import explicit, gradient_of, trainable
from dagger_cli.networks.layers import OneHot, Standardise
from dagger_cli.networks.member_gradients import MemberGradients
from dagger_cli.networks.modules import initialise
from dagger_cli.policies.batches import PREPARED, TOGETHER, Batches
from dagger_cli.policies.chunk_head import ChunkHead, single
from dagger_cli.policies.devices import check_device, device_for
from dagger_cli.policies.heads import Head
from dagger_cli.policies.joint_head import Joint
from dagger_cli.policies.mean_loss import mean_loss
from dagger_cli.policies.member_fits import descend_together
from dagger_cli.policies.optimizers import OPTIMIZERS, Adam, Entry, Sgd
from dagger_cli.policies.own_parts import OwnOptimizer, copied, detach_results
from dagger_cli.policies.packed_networks import network_arrays, optimizer_state, packed
from dagger_cli.policies.precision import check_precision, products
from dagger_cli.policies.ranges import check_ranges
from dagger_cli.policies.segments import SegmentBatches
from dagger_cli.policies.torch_policy import TorchPolicy
from dagger_cli.utils.malloc import LARGE, reused
from dagger_cli.utils.memmap import at_random


@contextmanager
def _chance(network: nn.Module, rng: Generator) -> Iterator[None]:
    """Seeds torch from `rng` for networks with random layers; restores its global generator."""
    if not getattr(network, "draws", False):
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        yield


def _moved(past: Sequence[Entry], device: torch.device) -> tuple[Entry, ...]:
    return tuple({name: t.to(device) for name, t in entry.items()} for entry in past)


def _memory(network: nn.Module, gathered: int) -> AbstractContextManager[None]:
    """Returns a context in which memory of large arrays is reused.

    New pages for them would take a fifth of the time of a gradient step. `gathered` is the number
    of bytes of the gathered observations; networks for images allocate more.
    """
    plain = isinstance(network, nn.Sequential) and isinstance(network[0], Standardise | OneHot)
    return nullcontext() if plain and gathered < LARGE else reused()


@dataclass(frozen=True)
class TorchLearner:
    """Learner that fits a network for `epochs` passes over the data or `gradient_steps` batches.

    With `warm_start` a fit continues from the last policy and its optimizer state, otherwise from
    new weights. `decay` decays the learning rate linearly to 0 within each fit. `normalize` sets
    the mean and standard deviation of observations from the data before a fit; they are part of
    the policy. `device` is the device of a fit (policies/devices.py); the fitted policy is moved
    back to the CPU. `precision` is the type of matrix products in a fit only. The last fit on the
    rows of all rounds is `final_fit` times as long: earlier policies only collect states.
    """

    make_network: Callable[[], nn.Module]
    head: Head
    optimizer: str | Callable[..., Any]
    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int | None
    gradient_steps: int | None
    warm_start: bool
    decay: bool
    normalize: bool
    # Defaults for policies without these keys, and for configs saved before they existed:
    device: str = "cpu"
    precision: str = "float32"
    final_fit: int = 1
    draws_weights: bool = False  # the network draws its weights from torch's global generator
    windows: Windows | None = None  # of rows with several observations, for a `ChunkHead`
    truncate: int | None = None  # env steps that gradients of a `Carried` network go back

    def __post_init__(self) -> None:
        check_device(self.device)
        check_precision(self.precision)
        if isinstance(self.optimizer, str) and self.optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ConfigError(
                f"policy.optimizer must be one of {known}; got '{self.optimizer}' (or set "
                "policy.optimizer._target_=torch.optim.RMSprop)"
            )
        if not isinstance(self.optimizer, str) and self.weight_decay != 0:
            raise ConfigError(
                "policy.weight_decay works only with adam, adamw and sgd; set "
                "policy.optimizer.weight_decay"
            )
        if isinstance(self.head, ChunkHead) != (self.windows is not None):
            raise ConfigError(
                "policy.chunk above 1 needs the places of a row's observations, which the view "
                "tells (windows=), and a chunk of 1 needs none"
            )
        if (self.epochs is None) == (self.gradient_steps is None):
            raise ConfigError(
                "policy.epochs and policy.gradient_steps both set the length of a fit; give one of "
                "them and set the other to null"
            )
        check_ranges(vars(self))

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fits a network on all rows; the returned loss is the mean over the batches."""
        network = self._network(start, data, rng)
        device = device_for(self.device, network, self.batch_size)
        network.to(device)
        optimizer = self._optimizer(trainable(network), _moved(self._past(start), device))
        memory = _memory(network, TOGETHER * self.batch_size * row_bytes(data.stored))
        with _chance(network.train(), rng), torch.no_grad(), memory, at_random(data.stored):
            loss = self._descend(network, optimizer, data, rng)
        here = torch.device("cpu")
        past = _moved(optimizer.past(), here)
        detach_results(network)
        return Fitted(TorchPolicy(network.to(here).eval(), self.head, past), loss)

    def fit_members(
        self, data: Dataset, starts: Sequence[Policy | None], rng: Generator
    ) -> list[Fitted]:
        """Fits a policy from each start as `fit` does one after the other, in less time.

        The products of small networks are batched; up to rounding, all numbers are those of `fit`.
        """
        if not self._batches_members(data):
            return [self.fit(data, start, rng) for start in starts]
        networks, orders = [], []
        for start in starts:
            networks.append(self._network(start, data, rng))
            orders.append(list(self._batches.gathered(len(data), rng)))
        members = MemberGradients(networks, self.head)
        blank: tuple[Entry, ...] = ({},) * len(trainable(networks[0]))
        past = [entry for start in starts for entry in self._past(start) or blank]
        optimizer = self._optimizer(members.parameters, past)
        n_batches = self._batches.count(len(data))

        def step(gradients: Sequence[Tensor], i: int) -> None:
            optimizer.step(gradients, self._rate(i, n_batches))

        with torch.no_grad(), at_random(data.stored):
            losses = descend_together(
                members, self.head, step, data, orders, self.batch_size, n_batches
            )
            members.take_back()
        state, n = optimizer.past(), len(blank)
        return [
            Fitted(TorchPolicy(network.eval(), self.head, state[i * n : (i + 1) * n]), loss)
            for i, (network, loss) in enumerate(zip(networks, losses, strict=True))
        ]

    def _batches_members(self, data: Dataset) -> bool:
        """Returns whether batched products save time: those of small networks on the CPU."""
        network = self._blank()
        numbers = math.prod(data.stored.shape[1:]) * TOGETHER * self.batch_size
        known = isinstance(self.optimizer, str) and products(self.precision) is None
        here = device_for(self.device, network, self.batch_size).type == "cpu"
        return known and here and numbers <= PREPARED and explicit(network) is not None

    @property
    def _batches(self) -> Batches:
        return Batches(self.batch_size, self.epochs, self.gradient_steps)

    def _source(self, network: nn.Module) -> Batches | SegmentBatches:
        """Returns what yields the batches of a fit of the network."""
        if not isinstance(network, Carried):
            return self._batches
        assert self.truncate is not None, "a network that carries a state needs this key"
        return SegmentBatches(self._batches, self.truncate, network)

    def _past(self, start: Policy | None) -> tuple[Entry, ...]:
        """Returns the optimizer state that a fit continues from."""
        return start.optimizer if self.warm_start and isinstance(start, TorchPolicy) else ()

    def _optimizer(
        self, parameters: Sequence[Tensor], past: Sequence[Entry]
    ) -> Adam | Sgd | OwnOptimizer:
        if isinstance(self.optimizer, str):
            return OPTIMIZERS[self.optimizer](parameters, past, self.weight_decay)
        return OwnOptimizer(self.optimizer, parameters, past, self.learning_rate)

    def for_final_fit(self) -> TorchLearner:
        """Returns this learner with `final_fit` times the epochs or steps."""
        epochs, steps = (n and n * self.final_fit for n in (self.epochs, self.gradient_steps))
        return replace(self, epochs=epochs, gradient_steps=steps, final_fit=1)

    def _network(self, start: Policy | None, data: Dataset, rng: Generator) -> nn.Module:
        """Returns the network that a fit begins with, with the statistics of the data."""
        if self.warm_start and isinstance(start, TorchPolicy):
            network = copied(start.network)
        else:
            seed = int(rng.integers(2**63))
            network = self._blank(seed if self.draws_weights else None)
            if not self.draws_weights:
                initialise(network, torch.Generator().manual_seed(seed))
        if self.normalize:
            for layer in network.modules():
                if isinstance(layer, Standardise):
                    layer.take(data.stored, None if self.windows is None else self.windows.index[0])
        return network

    def _blank(self, seed: int | None = None) -> nn.Module:
        """Creates a network; torch's global generator is restored."""
        with torch.random.fork_rng(devices=[]):
            if seed is not None:
                torch.manual_seed(seed)
            network = self.make_network()
            if self.windows is None:
                return network
            return Chunked(network, self.windows, self.head.outputs)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the network's arrays, without allocating them if possible."""
        try:
            with torch.device("meta"):
                network = self._blank()
        except Exception:  # a user's network may not work on the meta device
            network = self._blank()
        return {name: tuple(t.shape) for name, t in network.state_dict().items()}

    @property
    def uses_unsafe_actions(self) -> bool:
        """Whether a fit uses the actions that the expert marks as unsafe."""
        head = single(self.head)
        return isinstance(head, Joint) and head.unsafe_penalty > 0

    def _descend(
        self,
        network: nn.Module,
        optimizer: Adam | Sgd | OwnOptimizer,
        data: Dataset,
        rng: Generator,
    ) -> float:
        device = next(network.parameters()).device
        total, n_skipped = torch.zeros((), device=device), 0
        gradient = gradient_of(network, self.head, products(self.precision))
        compares_rows = any(isinstance(m, _BatchNorm) for m in network.modules())
        source, n_batches = self._source(network), self._batches.count(len(data))
        batches = source.of(data, self.head, gradient.prepare, device, rng)
        for i, (seen, targets) in enumerate(batches):
            if compares_rows and len(targets) == 1:
                n_skipped += 1  # batch normalization has no variance in a batch of one row
                continue
            loss, gradients = gradient.of(seen, targets)
            optimizer.step(gradients, self._rate(i, n_batches))
            total += loss
            fitted(i, n_batches)
        if n_skipped == n_batches:
            policy = TorchPolicy(network.to("cpu").eval(), self.head, ())
            return self.loss(policy, data)
        return float(total / (n_batches - n_skipped))

    def _rate(self, i: int, n_batches: int) -> float:
        """Returns the learning rate of batch i."""
        return self.learning_rate * (1 - i / n_batches if self.decay else 1.0)

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the mean loss over all rows."""
        assert isinstance(policy, TorchPolicy)
        return mean_loss(policy, self.head, data)

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the network, with its statistics, and the optimizer state as named arrays."""
        assert isinstance(policy, TorchPolicy)
        return packed(policy.network, policy.optimizer, ours=isinstance(self.optimizer, str))

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy of these arrays; raises CheckpointError where the shapes differ."""
        given = network_arrays(arrays, self._shapes())
        network = self._blank()
        network.load_state_dict(given)
        ours = isinstance(self.optimizer, str)
        past = optimizer_state(arrays, trainable(network), ours=ours)
        return TorchPolicy(network.eval(), self.head, past)
