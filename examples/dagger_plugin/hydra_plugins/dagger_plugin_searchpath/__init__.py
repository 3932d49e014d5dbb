"""Adds the configs of this package to Hydra's search path; found by Hydra by its folder's name."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class DaggerPluginSearchPath(SearchPathPlugin):
    """Appends dagger_plugin/conf."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        search_path.append("dagger-plugin", "pkg://dagger_plugin.conf")
