# Every target makes what it needs: a bare machine has Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lint sdks bench wheel clean

help:  ## Say what there is.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[demo]" --group dev
	@touch $@

demo: $(READY)  ## Record three streams from the embedded provider, and replay them without it.
	@$(BIN)/aquila-cassette demo

test: $(READY)  ## Run the tests.
	@$(BIN)/python -m pytest -n auto -q $(ARGS)

lint: $(READY)  ## Lint, types and the import contract.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python
	$(BIN)/lint-imports

sdks: $(READY)  ## Run every SDK through the matrix, in environments of their own; writes docs/sdks.md.
	@$(BIN)/nox --session sdks
	@$(BIN)/python -m tests.sdks.table .nox/results

bench: $(READY)  ## Compare with vcrpy, cassetter and plain httpx, side by side.
	@$(BIN)/python -m benchmarks

wheel: $(READY)  ## Build the wheel, install it into an empty environment, run the plugin from there.
	@sh .ci/wheel $(BIN)/python

clean:  ## Remove what was made.
	rm -rf $(VENV) .nox dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
