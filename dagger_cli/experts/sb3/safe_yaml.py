"""Reads YAML with Python tags (as written by rl-zoo) as plain data; tags construct nothing."""

from __future__ import annotations

from typing import Any

from dagger_cli.core.errors import ExpertError

MAX_YAML_BYTES = 2**16


def read_yaml(text: bytes) -> dict[str, Any]:
    """Returns a mapping, also one written as a list of pairs; raises ExpertError otherwise."""
    import yaml

    class PlainLoader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: int) -> Any:
            if self.check_event(
                yaml.AliasEvent
            ):  # the zoo writes none, and nested aliases can expand exponentially
                raise yaml.YAMLError("aliases are not supported")
            return super().compose_node(parent, index)

    def ignore_tag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return node.value

    PlainLoader.add_multi_constructor("", ignore_tag)
    try:
        return _mapping(yaml.load(text, Loader=PlainLoader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as err:
        raise ExpertError("a YAML file of the agent is damaged") from err


def _mapping(value: Any) -> dict[str, Any]:
    """Converts to a dict; `OrderedDict([[key, value], ...])` is a list of the list of pairs."""
    if value is None:
        return {}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            raise ValueError("not a list of pairs")
        value = dict(value)
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return {str(key): item for key, item in value.items()}
