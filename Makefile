# Everything runs offline once the packages are there; nothing touches an AWS account.

CARGO  ?= cargo
PYTHON ?= python3
VENV   := .venv
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo test lint unit conformance template packaging functions deploy verify-aws patterns e2e e2e-mutants bench measure build \
	clean help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | sed 's/:.*## /\t/' | expand -t 14

demo: ## one attack over three benign weeks, and what is found
	$(CARGO) run --release --locked -q -p scenarios -- demo | $(CARGO) run --release --locked -q -p tripmeter -- replay -

build: ## the tripmeter program, as it is shipped
	$(CARGO) build --release --locked -p tripmeter

test: lint unit conformance template packaging e2e ## everything that CI runs

lint: ## formatting, and every warning an error
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -q -- -D warnings

unit: ## unit, property, snapshot, scenario and end-to-end tests
	$(CARGO) test --workspace --locked

conformance: $(VENV)/.installed $(VENV)-openai/.installed ## our tables against the packages that carry the facts
	$(VENV)/bin/python -m pytest -q tests/conformance
	$(VENV)-openai/bin/python -m pytest -q tests/conformance-openai

$(VENV)/.installed: tests/conformance/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)-openai/.installed: tests/conformance-openai/requirements.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The same profile as the tests: the workspace is compiled once. What is shipped differs in optimisation alone.
e2e: $(VENV)-e2e/.installed ## the template and the real programs on an emulated AWS, from the bus to the queue
	$(CARGO) build --workspace --bins --locked -q
	TRIPMETER_BINARIES=$(TARGET)/debug $(VENV)-e2e/bin/python -m pytest -q -m "not mutants" tests/e2e

e2e-mutants: $(VENV)-e2e/.installed ## every rule, mapping and permission taken away in turn, and missed (slow)
	$(CARGO) build --workspace --bins --locked -q
	TRIPMETER_BINARIES=$(TARGET)/debug $(VENV)-e2e/bin/python -m pytest -q -m mutants tests/e2e

$(VENV)-e2e/.installed: tests/e2e/requirements.txt
	$(PYTHON) -m venv $(VENV)-e2e
	$(VENV)-e2e/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

template: $(VENV)-template/.installed $(VENV)-checkov/.installed ## the deployment's templates: linters, wiring, patterns
	$(VENV)-template/bin/python -m pytest -q tests/template

# checkov wants another boto3 than the AWS SAM CLI.
$(VENV)-template/.installed: tests/template/requirements.txt
$(VENV)-checkov/.installed: tests/template/requirements-checkov.txt
$(VENV)-template/.installed $(VENV)-checkov/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# ---- deploying: the first two need no AWS account. `sam build` and `sam deploy` alone do the same, unchecked.
ARCHITECTURE = $(shell $(PYTHON) infra/functions.py --print-architecture)
PACKAGING    = PATH="$(CURDIR)/$(VENV)-packaging/bin:$$PATH" SAM_CLI_TELEMETRY=0

packaging: $(VENV)-packaging/.installed ## what checks packages and deployments, against stand-ins
	$(VENV)-packaging/bin/python -m pytest -q tests/packaging

functions: $(VENV)-packaging/.installed ## the functions as they are deployed, and a check of them (ARCHITECTURE=x86_64)
	$(PACKAGING) sam build --parameter-overrides Architecture=$(ARCHITECTURE)
	$(VENV)-packaging/bin/python infra/functions.py --architecture $(ARCHITECTURE)

deploy: functions ## build, hold against what samconfig.toml asks for, and deploy (FIRST=yes asks for everything)
	$(VENV)-packaging/bin/python infra/functions.py
	$(PACKAGING) sam deploy $(if $(FIRST),--guided)

verify-aws: build ## look at the deployed STACK for what only AWS can prove (ALARM=yes rings an alarm)
	$(PYTHON) infra/verify.py --stack $(STACK) --tripmeter $(TARGET)/release/tripmeter $(if $(ALARM),--try-alarm) \
		$(if $(UNRECORDED),--unrecorded $(UNRECORDED)) $(if $(ONLY),--only $(ONLY))

$(VENV)-packaging/.installed: tests/packaging/requirements.txt
	$(PYTHON) -m venv $(VENV)-packaging
	$(VENV)-packaging/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

patterns: ## write what is generated from the catalogue into the templates
	$(PYTHON) infra/generate.py

bench: ## criterion benches, and the million-record replay
	$(CARGO) bench --workspace --locked
	tests/bench/replay.sh

measure: ## recall, delay and false alarms over simulated accounts (slow)
	$(CARGO) build --release --locked -p tripmeter -p measure
	target/release/measure --tripmeter target/release/tripmeter

clean: ## what builds and tests left behind
	$(CARGO) clean
	rm -rf $(VENV) $(VENV)-e2e $(VENV)-template $(VENV)-checkov $(VENV)-packaging .aws-sam
