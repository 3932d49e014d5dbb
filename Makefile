# One line each. They use the virtual environment in VENV: `make check VENV=/path/to/another`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
seed ?= 0
scale ?= 25

.DEFAULT_GOAL := help
.PHONY: help setup fmt check test test-all test-trust docs readme-gif bench bench-peers

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## a virtual environment with the package, its tests and its tools, at the pinned versions
	$(PYTHON) -m venv $(VENV) && $(BIN)/pip install -c constraints.txt -e '.[dev]'

fmt:  ## sort the imports, repair what ruff can, and format
	$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

check:  ## lint, formatting, types, no leftovers of a merge, and that the package imports
	! grep -rnE '^(<{7}|>{7}) ' README.md CHANGELOG.md ARCHITECTURE.md conf dagger_cli docs examples scripts tests
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -c "import dagger_cli"

test:  ## the fast tests
	$(BIN)/pytest

test-all:  ## every test that needs no network
	$(BIN)/pytest -m "not network"

test-trust:  ## kills, damage, altered files and odd words, many of each: make test-trust seed=7 scale=25
	DAGGER_TRUST_SEED=$(seed) DAGGER_TRUST_SCALE=$(scale) $(BIN)/pytest tests/trust

docs:  ## the documentation site, in build/site; broken links and pages that are not listed are errors
	$(BIN)/python -m scripts.site.stage build/docs && NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

readme-gif:  ## the moving picture of README.md: trains two walkers and two Marios, five minutes
	$(BIN)/python scripts/readme_gif.py

bench:  ## measure the usual parts of docs/benchmarks.md and write it: below 20 minutes on two idle cores
	$(BIN)/python scripts/bench/run.py

bench-peers:  ## the long comparisons: the original loop, and imitation in an environment of its own: two hours
	$(BIN)/python scripts/bench/run.py only=reference,peers,curves,peers_mujoco
