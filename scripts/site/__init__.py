"""The documentation site: what `make docs` builds from."""
