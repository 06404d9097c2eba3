# Gongshu: `make` prints its targets. Everything needs only Python >= 3.11 and make; `make test` also installs Chromium where it may.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.runtime
DEV_STAMP := $(VENV)/.dev

unexport PYTHONDONTWRITEBYTECODE  # modules are compiled as they are first used, not all at once

.PHONY: help demo test proof check bench messages locks clean browser

help: ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

# uv installs from the lock files in seconds; where it is not to be had, pip does the same more slowly.
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes
define from_lock
	@if $(BIN)/uv --version >/dev/null 2>&1; then \
	  UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}"; \
	  [ -n "$$UV_DEFAULT_INDEX" ] && export UV_DEFAULT_INDEX || unset UV_DEFAULT_INDEX; \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) || $(install) -r $(1); \
	else $(install) -r $(1); fi
endef

$(STAMP): requirements.lock requirements-bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit("Gongshu needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(install) -r requirements-bootstrap.lock 2>/dev/null || true
	$(call from_lock,requirements.lock)
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	$(call from_lock,requirements-dev.lock)
	@touch $@

demo: $(STAMP) ## the whole market with made-up data on 127.0.0.1:8000 (PORT=); Ctrl-C stops all
	@$(BIN)/python manage.py demo --port $(PORT)

test: $(DEV_STAMP) browser ## the tests, at most 10 minutes
	$(BIN)/python -m pytest -m "not proof" -n auto --maxprocesses=4 --dist=loadfile

proof: $(DEV_STAMP) browser ## faults, real data, long journeys, stateful models
	$(BIN)/python -m pytest -m proof

browser: ## Chromium and Chinese fonts for the browser tests
	@bash tests/browser/install.sh

check: $(DEV_STAMP) ## lint, types, floors, migrations, translations, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy products pricing settlement market
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	$(BIN)/python manage.py messages --check
	$(BIN)/python -m tests.lockfiles

bench: $(DEV_STAMP) ## benchmarks: a table, and JSON in .data/bench.json
	$(BIN)/python -m bench

messages: $(DEV_STAMP) ## extract and merge translations
	$(BIN)/python manage.py messages

locks: ## compile the lock files anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the environment and all local data
	rm -rf $(VENV) .data
