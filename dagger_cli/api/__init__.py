"""The functions of the public API; import them from `dagger_cli`."""
