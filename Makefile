# Every target makes what it needs: a bare machine has Python 3.11 or newer, pip and make.
# Versions come from requirements/*.lock; `make newest` tests the newest releases instead.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

.PHONY: help demo test newest lint sdks pages bench waiting wheel lock files clean

help:  ## List the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(BIN)/uv:
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --quiet --disable-pip-version-check --python $(BIN)/python install "$(UV)"

# The demo needs the package and two SDKs; everything else needs the development group.
$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/demo.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.ready: requirements/dev.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

READY := $(VENV)/.ready

demo: $(VENV)/.demo  ## Record three streams from the embedded provider, and replay them without it.
	@$(BIN)/aquila-cassette demo

test: $(READY)  ## Run the tests.
	@$(BIN)/python -m pytest -n auto -q $(ARGS)

newest: | $(BIN)/uv  ## Run the tests with the newest release of every dependency.
	@$(BIN)/uv venv --quiet --clear .venv-newest
	@$(BIN)/uv pip install --quiet --python .venv-newest/bin/python --upgrade --editable ".[demo]" --group dev
	@.venv-newest/bin/python -m pytest -n auto -q $(ARGS)

lint: $(READY)  ## Check style, types and imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python
	$(BIN)/lint-imports

sdks: $(READY)  ## Run every SDK in an environment of its own; writes docs/sdks.md.
	@$(BIN)/nox --session sdks
	@$(BIN)/python -m tests.sdks.table .nox/results

pages: $(READY)  ## Run the adapters for Streamlit, Gradio and Channels in an environment of their own.
	@$(BIN)/nox --session pages

bench: $(READY)  ## Compare with vcrpy, cassetter and plain httpx in one run.
	@$(BIN)/python -m benchmarks

waiting: $(READY)  ## Play each situation of the waits 200 times, idle and under load.
	@$(BIN)/python -m benchmarks.waiting

wheel: $(READY)  ## Build the wheel and use it in an empty environment.
	@sh .ci/wheel $(BIN)/uv

lock: | $(BIN)/uv  ## Update requirements/*.lock to the newest releases.
	@$(LOCK) --upgrade pyproject.toml --extra demo --group dev --output-file requirements/dev.lock
	@$(LOCK) --constraint requirements/dev.lock pyproject.toml --extra demo --output-file requirements/demo.lock

files: $(READY)  ## Update the list of files in CONTRIBUTING.md.
	@$(BIN)/python -m tests.file_list

clean:  ## Remove everything these targets make.
	rm -rf $(VENV) .venv-newest .nox dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
