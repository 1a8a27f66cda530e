# Every command of people, of .ci/run and of the GitHub workflows. `make` alone lists them.
# ARGS passes words on: make test ARGS="-k signing", make demo ARGS="--sandbox local"
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
EPISODE ?= claude-3-5-sonnet/prisoners-dilemma
EXTRAS := site data submit tuner llm memory literature gym
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras --allow-unsafe
SCHEMAS := site/docs/schemas
BENCHMARKS := $(filter-out tests/benchmarks/synthetic%,$(sort $(wildcard tests/benchmarks/*.py)))

# A mirror of the real data that lies beside the checkout is used; without one the pinned sources are.
ifneq ($(wildcard ../shared/data),)
export GYMBOARD_DATA_MIRROR ?= $(abspath ../shared/data)
endif

.PHONY: help demo watch test setup lint generated format bench images site serve screenshots zensical lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(BIN)/.run ## run, sign, verify, regrade, rank and publish the baseline agent in the smoke profile
	@$(BIN)/gymboard demo $(ARGS)

watch: $(BIN)/.run ## replay a published episode, no key and no engine needed (EPISODE=model/task)
	@$(BIN)/gymboard watch $(EPISODE) $(ARGS)

test: $(BIN)/.dev ## the whole suite, several files at once (ARGS="-n 0": one); GYMBOARD_REQUIRE=docker,browser,data forbids skips of that kind
	-@$(BIN)/gymboard images build cpu --for local
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

setup: $(BIN)/.dev ## everything that developing needs, in .venv

lint: $(BIN)/.dev ## format, ruff, types, import floors, workflows, scripts, generated files
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/zizmor --offline --quiet .github/workflows
	@for script in .ci/*; do bash -n "$$script"; done
	@made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; $(BIN)/python -m harness.schema.export "$$made"; \
	  diff -rq $(SCHEMAS) "$$made" || { echo "$(SCHEMAS) is not current: run make generated"; exit 1; }

generated: $(BIN)/.dev ## write generated files again: the JSON Schemas
	@$(BIN)/python -m harness.schema.export $(SCHEMAS)

format: $(BIN)/.dev ## put the code in the one format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: $(BIN)/.dev ## every benchmark: target against measured
	@for script in $(BENCHMARKS); do echo "== $$script"; PYTHONPATH=. $(BIN)/python "$$script" $(ARGS); done

images: $(BIN)/.run ## build the official image families
	@$(BIN)/gymboard images build $(ARGS)

site: $(BIN)/.run ## build the site into public/
	@$(BIN)/gymboard site build $(ARGS)

serve: $(BIN)/.run ## build the site and serve it on this machine; a change is built again and open pages reload
	@$(BIN)/gymboard site serve $(ARGS)

zensical: $(BIN)/.dev ## does Material's successor, reading the same mkdocs.yml, build the same addresses?
	@$(BIN)/python -m venv build/zensical
	@build/zensical/bin/pip install --disable-pip-version-check --quiet --require-hashes -r requirements/zensical.txt
	@PYTHONPATH=. $(BIN)/python tests/site/successor.py build/zensical/bin/zensical

screenshots: $(BIN)/.dev ## the README's picture anew, and pictures of the site's pages into build/screenshots/
	@$(BIN)/gymboard site build --out build/site
	@PYTHONPATH=. $(BIN)/python tests/site/screenshots.py build/site --home site/docs/assets/home.png
	@PYTHONPATH=. $(BIN)/python tests/site/screenshots.py build/site build/screenshots $(ARGS)

lock: $(BIN)/.dev ## make requirements/*.txt again (LOCK_ARGS=--upgrade for newer versions)
	@$(LOCK) $(LOCK_ARGS) $(EXTRAS:%=--extra %) --output-file requirements/run.txt pyproject.toml
	@$(LOCK) $(LOCK_ARGS) $(EXTRAS:%=--extra %) --extra sigstore --extra otel --extra ray --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml
	@$(LOCK) $(LOCK_ARGS) --output-file requirements/zensical.txt requirements/zensical.in

clean: ## remove what can be made again: .venv, public/, build/, caches (never runs/)
	@rm -rf .venv public build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/.run: requirements/run.txt .ci/install
	@PYTHON=$(PYTHON) .ci/install run

$(BIN)/.dev: requirements/dev.txt .ci/install
	@PYTHON=$(PYTHON) .ci/install dev
