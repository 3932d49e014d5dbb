"""Learner of networks: minibatch gradient descent on labelled states."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dagger_cli.core.compact import Stored, row_bytes
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.progress import fitted
from dagger_cli.core.types import Array, Fitted, Policy
from dagger_cli.core.values import at_least, at_most
from dagger_cli.networks.gradients import explicit, gradient_of, trainable
from dagger_cli.networks.layers import OneHot, Standardise, reader
from dagger_cli.networks.member_gradients import MemberGradients
from dagger_cli.networks.modules import initialise
from dagger_cli.policies.devices import check_device, device_for
from dagger_cli.policies.heads import Head
from dagger_cli.policies.joint_head import Joint
from dagger_cli.policies.optimizers import OPTIMIZERS, Adam, Entry, Sgd, fits
from dagger_cli.policies.own_parts import OwnOptimizer
from dagger_cli.policies.precision import check_precision, products
from dagger_cli.policies.torch_policy import TorchPolicy
from dagger_cli.utils.malloc import LARGE, reused
from dagger_cli.utils.memmap import at_random, will_need

MOST = 2**53  # torch counts in 64 bits
LOSS_ROWS = 8192  # batch size of a loss without gradients
TOGETHER = 8  # batches gathered in one call, to save calls without gathering all targets
PREPARED = 2**17  # numbers; up to so many, all gathered batches are prepared in one call


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


def _fetched(obs: Stored, groups: Iterator[Tensor]) -> Iterator[Tensor]:
    """Yields the same groups of row indices; each is prefetched from disk one group ahead."""
    before = None
    for rows in groups:
        will_need(obs, rows.numpy())
        if before is not None:
            yield before
        before = rows
    if before is not None:
        yield before


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
        if (self.epochs is None) == (self.gradient_steps is None):
            raise ConfigError(
                "policy.epochs and policy.gradient_steps both set the length of a fit; give one of "
                "them and set the other to null"
            )
        for key in ("epochs", "gradient_steps", "batch_size", "final_fit"):
            value = getattr(self, key)
            if value is not None:
                at_least(f"policy.{key}", value, 1)
                at_most(f"policy.{key}", value, MOST)
        if not self.learning_rate > 0:
            raise ConfigError(f"policy.learning_rate must be > 0, got {self.learning_rate}")
        if not self.weight_decay >= 0:
            raise ConfigError(f"policy.weight_decay must be 0 or more, got {self.weight_decay}")

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
            orders.append(list(self._gathered(len(data), rng)))
        members = MemberGradients(networks, self.head)
        blank: tuple[Entry, ...] = ({},) * len(trainable(networks[0]))
        past = [entry for start in starts for entry in self._past(start) or blank]
        optimizer = self._optimizer(members.parameters, past)
        with torch.no_grad(), at_random(data.stored):
            losses = self._descend_together(members, optimizer, data, orders)
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
            network = copy.deepcopy(start.network)
        else:
            seed = int(rng.integers(2**63))
            network = self._blank(seed if self.draws_weights else None)
            if not self.draws_weights:
                initialise(network, torch.Generator().manual_seed(seed))
        if self.normalize:
            for layer in network.modules():
                if isinstance(layer, Standardise):
                    layer.take(data.stored)
        return network

    def _blank(self, seed: int | None = None) -> nn.Module:
        """Creates a network; torch's global generator is restored."""
        with torch.random.fork_rng(devices=[]):
            if seed is not None:
                torch.manual_seed(seed)
            return self.make_network()

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the network's arrays, without allocating them if possible."""
        try:
            with torch.device("meta"):
                network = self._blank()
        except Exception:  # a user's network may not work on the meta device
            network = self._blank()
        return {name: tuple(t.shape) for name, t in network.state_dict().items()}

    def _n_batches(self, n: int) -> int:
        return self.gradient_steps or (self.epochs or 0) * math.ceil(n / self.batch_size)

    def _gathered(self, n: int, rng: Generator) -> Iterator[Tensor]:
        """Yields row indices of `TOGETHER` batches: shuffled passes, `_n_batches` in total."""
        per_pass, wanted = math.ceil(n / self.batch_size), self._n_batches(n)
        while wanted > 0:
            order = torch.from_numpy(rng.permutation(n))
            yield from torch.split(order[: wanted * self.batch_size], TOGETHER * self.batch_size)
            wanted -= per_pass

    def _batches(
        self,
        data: Dataset,
        prepare: Callable[[Tensor], Tensor],
        device: torch.device,
        rng: Generator,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields inputs and targets of each batch, moved to the device."""
        obs = reader(data.stored)
        for rows in _fetched(data.stored, self._gathered(len(data), rng)):
            seen = obs(rows).to(device)
            targets = self._targets(data, rows).to(device)
            # Large observations would leave the cache between their preparation and their use.
            at_once = seen.numel() <= PREPARED
            inputs = torch.split(prepare(seen) if at_once else seen, self.batch_size)
            for batch, wanted in zip(inputs, torch.split(targets, self.batch_size), strict=True):
                yield batch if at_once else prepare(batch), wanted

    def _targets(self, data: Dataset, rows: Tensor | slice) -> Tensor:
        labels = torch.from_numpy(data.labels)[rows]
        if data.fatal is None:
            return self.head.targets(labels)
        assert isinstance(self.head, Joint), "only Joint uses unsafe actions"
        return self.head.targets(labels, torch.from_numpy(data.fatal)[rows])

    @property
    def uses_unsafe_actions(self) -> bool:
        """Whether a fit uses the actions that the expert marks as unsafe."""
        return isinstance(self.head, Joint) and self.head.unsafe_penalty > 0

    def _descend(
        self,
        network: nn.Module,
        optimizer: Adam | Sgd | OwnOptimizer,
        data: Dataset,
        rng: Generator,
    ) -> float:
        device = next(network.parameters()).device
        n_batches, total = self._n_batches(len(data)), torch.zeros((), device=device)
        gradient = gradient_of(network, self.head, products(self.precision))
        compares_rows = any(isinstance(m, _BatchNorm) for m in network.modules())
        for i, (seen, targets) in enumerate(self._batches(data, gradient.prepare, device, rng)):
            if compares_rows and len(seen) == 1:
                continue  # batch normalization has no variance in a batch of one row
            left = 1 - i / n_batches if self.decay else 1.0
            loss, gradients = gradient.of(seen, targets)
            optimizer.step(gradients, self.learning_rate * left)
            total += loss
            fitted(i, n_batches)
        return float(total / n_batches)

    def _descend_together(
        self,
        members: MemberGradients,
        optimizer: Adam | Sgd | OwnOptimizer,
        data: Dataset,
        orders: Sequence[Sequence[Tensor]],
    ) -> list[float]:
        """Returns the loss of each member; `orders` are row indices, gathered as by `_gathered`."""
        n_batches, total = self._n_batches(len(data)), torch.zeros(len(orders))
        obs, done = reader(data.stored), 0
        for groups in zip(*orders, strict=True):
            inputs = members.prepare([obs(rows) for rows in groups])
            targets = torch.stack([self._targets(data, rows) for rows in groups])
            pairs = (torch.split(x, self.batch_size, 1) for x in (inputs, targets))
            for seen, wanted in zip(*pairs, strict=True):
                left = 1 - done / n_batches if self.decay else 1.0
                losses, gradients = members.of(seen, wanted)
                optimizer.step(gradients, self.learning_rate * left)
                total += losses
                fitted(done, n_batches)
                done += 1
        return (total / n_batches).tolist()

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the mean loss over all rows."""
        assert isinstance(policy, TorchPolicy)
        obs, total = reader(data.stored), 0.0
        will_need(data.stored, np.arange(len(data)))
        with torch.inference_mode(), at_random(data.stored):
            for start in range(0, len(data), LOSS_ROWS):
                rows = slice(start, start + LOSS_ROWS)
                outputs = policy.network(obs(rows))
                batch = self.head.loss(outputs, self._targets(data, rows))
                total += float(batch) * len(outputs)
        return total / len(data)

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the network, with its statistics, and the optimizer state as named arrays."""
        assert isinstance(policy, TorchPolicy)
        tensors = {f"network.{name}": t for name, t in policy.network.state_dict().items()}
        ours = isinstance(self.optimizer, str)  # their step counters are saved with shape (1,)
        for i, entry in enumerate(policy.optimizer):
            for key, t in entry.items():
                tensors[f"optimiser.{i}.{key}"] = t.reshape(1) if ours and t.ndim == 0 else t
        return {name: np.asarray(t.numpy(), order="C") for name, t in tensors.items()}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy of these arrays; raises CheckpointError where the shapes differ."""
        given = {n.removeprefix("network."): a for n, a in arrays.items() if n.startswith("net")}
        if self._shapes() != {n: a.shape for n, a in given.items()}:
            raise CheckpointError(
                "the policy in this checkpoint has another shape than its config says: the files "
                "do not belong together, or the environment's observations have changed"
            )
        if not all(np.isfinite(array).all() for array in given.values()):
            raise CheckpointError("the policy in this checkpoint has weights that are not finite")
        network = self._blank()
        network.load_state_dict({name: torch.tensor(array) for name, array in given.items()})
        return TorchPolicy(network.eval(), self.head, self._optimizer_state(arrays, network))

    def _optimizer_state(
        self, arrays: Mapping[str, Array], network: nn.Module
    ) -> tuple[Entry, ...]:
        """Returns the optimizer state in a checkpoint's arrays, one entry per parameter."""
        parameters = trainable(network)
        optimizer: list[dict[str, Tensor]] = [{} for _ in parameters]
        for name, array in arrays.items():
            if name.startswith("optimiser."):
                match = re.fullmatch(r"optimiser\.(\d+)\.(\w+)", name)
                if match is None or int(match[1]) >= len(optimizer):
                    raise CheckpointError(
                        f"the optimizer state in this checkpoint has '{name}', for which its "
                        "network has no parameter"
                    )
                optimizer[int(match[1])][match[2]] = torch.tensor(array)
        if isinstance(self.optimizer, str) and not all(map(fits, optimizer, parameters)):
            raise CheckpointError(
                "the optimizer state in this checkpoint does not fit its network: the files do not "
                "belong together"
            )
        return tuple(optimizer)
