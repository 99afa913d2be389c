# `make help` lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
export PIP_ROOT_USER_ACTION := ignore
# Trainings run beside other work on all cores: threads that spin while they wait for one another cost minutes.
export OMP_NUM_THREADS := 1
CLOUD ?= local
VENV := .venv
BIN := $(VENV)/bin
# Set up again when the pinned requirements change, or another interpreter is asked for.
READY := $(VENV)/.ready
SAM_VENV := .tools/sam
SAM := $(SAM_VENV)/bin/sam
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes --no-deps

CODE := shared functions tests examples bench
SAM_FLAGS := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(READY) ## make the virtual environment

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, not %d.%d; set PYTHON=..." % sys.version_info[:2])'
	@echo "Setting up $(VENV): a minute or so, once"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m $(PIP_INSTALL) -r requirements.txt
	@touch $@

$(SAM): tests/deploy/sam.txt
	@echo "Setting up the SAM command line, which needs an environment of its own"
	@$(PYTHON) -m venv --clear $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m $(PIP_INSTALL) -r $<
	@touch $@

.PHONY: requirements
requirements: $(READY) ## pin the requirements anew, with hashes
	$(BIN)/python -m pip install --quiet uv
	set -e; pin() { $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade --custom-compile-command "make requirements" "$$@"; }; \
	pin requirements.in -o requirements.txt; \
	pin -c requirements.txt functions/aws/requirements.in -o functions/aws/requirements.txt; \
	pin -c requirements.txt functions/local/requirements.in -o functions/local/requirements.txt; \
	pin tests/deploy/sam.in -o tests/deploy/sam.txt

# --- using it ---------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) $(if $(filter aws,$(CLOUD)),build-aws) ## from a trigger to exactly one training; CLOUD=aws through the Lambda runtime
	@$(BIN)/python -m examples.demo $(CLOUD)

.PHONY: serve
serve: $(READY) ## the local cloud: HTTP on port 8080, cron, trainings on this machine
	@$(BIN)/python -m functions.local

# --- checking it ------------------------------------------------------------------------------------------------------

.PHONY: test
test: $(READY) build-aws ## all tests
	$(BIN)/python -m pytest -n auto --dist loadgroup

.PHONY: lint
lint: $(READY) ## style, types, docstrings and the borders between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet --fail-under 100 --ignore-nested-functions --ignore-private --ignore-semiprivate --ignore-init-method --ignore-magic tests

.PHONY: check
check: lint test check-sam ## everything that CI does

.PHONY: check-sam
check-sam: $(SAM) ## the template as AWS reads it, and the build that is deployed; offline
	$(SAM_FLAGS) $(SAM) validate --lint
	$(SAM_FLAGS) $(SAM) build --build-in-source

# --- building it ------------------------------------------------------------------------------------------------------

.PHONY: build
build: build-aws ## all bundles

.PHONY: build-aws
build-aws: dist/aws/.built ## the AWS bundle: dist/aws

# The bundles are built for the interpreter that builds, unless these name the deployed one (3.13, manylinux2014_aarch64).
TARGET_PYTHON ?=
TARGET_PLATFORM ?=
TARGET := $(if $(TARGET_PYTHON),--python-version $(TARGET_PYTHON)) $(if $(TARGET_PLATFORM),--platform $(TARGET_PLATFORM)) \
	$(if $(TARGET_PYTHON)$(TARGET_PLATFORM),--only-binary=:all:)

# A bundle holds the core, its own cloud and the configuration, at the paths that they have here.
# $(call stage,cloud,folder)
define stage
	mkdir -p "$(2)/functions"
	cp -r shared retrain.toml "$(2)/"
	cp functions/__init__.py "$(2)/functions/"
	cp -r functions/$(1) "$(2)/functions/"
	find "$(2)" -name __pycache__ -prune -exec rm -rf {} +
	mv "$(2)/functions/$(1)/requirements.txt" "$(2)/"
	rm -f "$(2)/functions/$(1)/requirements.in"
	$(PYTHON) -m shared.config_file "$(2)/retrain.toml"
endef

# Dependencies stand flat beside the code, with bytecode: /var/task is read-only, so Lambda would compile at every cold
# start (0.2 s). The hashes stay valid without looking at times, which a zip does not keep.
# $(call carry,folder)
define carry
	$(PYTHON) -m $(PIP_INSTALL) $(TARGET) --target "$(1)" -r "$(1)/requirements.txt"
	rm -rf "$(1)/bin"
	$(if $(TARGET_PYTHON),,$(PYTHON) -m compileall -q --invalidation-mode unchecked-hash "$(1)")
endef

SOURCES_AWS := $(shell find shared functions/aws functions/__init__.py -name '*.py' -o -name requirements.txt) retrain.toml Makefile

dist/aws/.built: $(SOURCES_AWS)
	@rm -rf dist/aws
	@$(call stage,aws,dist/aws)
	@$(call carry,dist/aws)
	@touch $@

# `sam build` calls these, with the folder that it wants to be filled.
.PHONY: build-EmitFunction build-ReceiveFunction
build-EmitFunction build-ReceiveFunction:
	$(call stage,aws,$(ARTIFACTS_DIR))
	$(call carry,$(ARTIFACTS_DIR))

.PHONY: clean
clean: ## remove what was built and what the demo left
	rm -rf dist .aws-sam .local .pytest_cache .mypy_cache .ruff_cache .hypothesis
