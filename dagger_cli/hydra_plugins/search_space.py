"""Search spaces of Optuna, from overrides as Hydra's grammar has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from dagger_cli.core.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def parsed(words: Sequence[str]) -> tuple[Mapping[str, BaseDistribution], list[str]]:
    """Returns the distribution of each swept key, and the other overrides.

    Of two overrides of one key the last counts, so the command line replaces `params`. Raises
    ConfigError where nothing is swept.
    """
    space: dict[str, Any] = {}
    fixed: dict[str, str] = {}
    for override in OverridesParser.create().parse_overrides(list(words)):
        key = override.get_key_element()
        space.pop(key, None)
        fixed.pop(key, None)
        if override.is_sweep_override():
            space[key] = _distribution(override)
        else:
            fixed[key] = f"{key}={override.get_value_element_as_str()}"
    if not space:
        raise ConfigError(
            "hydra/sweeper=optuna searches over nothing: sweep a key, such as "
            "'policy.learning_rate=tag(log,interval(1e-4,1e-2))'"
        )
    return space, [*fixed.values()]


def _distribution(override: Override) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution

    value = override.value()
    if isinstance(value, IntervalSweep):
        return _numbers(value.start, value.end, log="log" in value.tags)
    if isinstance(value, RangeSweep) and not value.shuffle:
        values = [*value.range()]
        return _numbers(values[0], values[-1], step=value.step)
    return CategoricalDistribution([*override.sweep_string_iterator()])


def _numbers(low: Any, high: Any, **options: Any) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, **options)
    return FloatDistribution(float(low), float(high), **options)
