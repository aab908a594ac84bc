# Everything a developer does here. Needs Python 3.11 to 3.14 and make; the rest is installed into .venv when it is needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test unit check up down bench synth bootstrap deploy lock personas texts docs format clean setup

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# The virtual environment is as good as what went into it: other requirements, another stamp.
STAMP := .venv/.installed-$(shell cat requirements/installer.txt requirements/dev.txt pyproject.toml 2>/dev/null | cksum | tr ' ' '-')
# What is called by others than our own code: commands, fixtures, validators, handlers, payloads found by their name, and errors
# that only state machines name.
CALLED_BY_FRAMEWORKS := @app.*,@condition*,@rule*,@initialize*,@invariant*,@pytest.*,@model*,@field_validator*,@jsii*
NAMED_BY_FRAMEWORKS := test_*,capture_signals,__init_subclass__,_deserialize_n,*Payload,pytest_*,do_*,log_message,handle,handle_*,stream,readable,seekable,readinto,GoalReached,JourneyExited,HasForbiddenWords,NoValidCoupon,AlreadyBought,BestHour,JourneyPaused,StreamPaused,TaskSettled,SmsParts
SOURCE := layers/waypost/python/waypost
CODE := setup.py infra local functions layers/waypost/python tests lints benchmarks personas

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## Watch sample contacts live through the first journey, seven days in seconds
	@$(BIN)/waypost demo

test: $(STAMP) ## Run every test
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(ARGS)

unit: $(STAMP) ## Run the tests of the domain and the adapters: no embedded cloud, no synth
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not flow" --ignore tests/infra --ignore tests/local/test_assembly.py $(ARGS)

check: $(STAMP) ## Format, lint, types, imports, closed sets, templates, dead code
	@echo "» format";    $(BIN)/ruff format --quiet --check $(CODE) > /dev/null 2>&1 || { echo "error: not formatted → make format"; exit 1; }
	@echo "» lint";      $(BIN)/ruff check --quiet $(CODE)
	@echo "» types";     $(BIN)/mypy --no-error-summary infra local layers/waypost/python/waypost functions tests lints benchmarks personas
	@echo "» imports";   report=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$report"; exit 1; }
	@echo "» dispatch";  $(BIN)/python -m lints.dispatch layers/waypost/python/waypost local infra personas && $(BIN)/python -m lints.channels
	@echo "» templates"; $(BIN)/python -m lints.templates
	@echo "» dead code"; found=$$($(BIN)/vulture $(CODE) --min-confidence 60 --ignore-decorators '$(CALLED_BY_FRAMEWORKS)' \
	  --ignore-names '$(NAMED_BY_FRAMEWORKS)' | grep -E 'unused (function|method|class|property|import)|unreachable'); \
	  if [ -n "$$found" ]; then echo "$$found"; exit 1; fi

up: $(STAMP) ## Keep the embedded cloud running; out/local.json says how to reach it
	@$(BIN)/waypost up $(ARGS)

down: $(STAMP) ## Stop it; contacts and journeys are kept
	@$(BIN)/waypost down $(ARGS)

bench: $(STAMP) ## Measure speed and cost; fails when a goal of benchmarks/goals.py is missed
	@$(BIN)/python -m benchmarks $(ARGS)

synth: $(STAMP) ## Write the CloudFormation template to cdk.out
	@$(BIN)/waypost synth $(ARGS)

bootstrap: $(STAMP) ## Prepare the AWS account and region of your credentials for deployments, once
	@$(BIN)/waypost bootstrap $(ARGS)

deploy: $(STAMP) ## Deploy to the AWS account of your credentials: make deploy ARGS="-c stage=prod -c email_sender=…"
	@$(BIN)/waypost deploy $(ARGS)

lock: $(STAMP) ## Lock the newest allowed dependencies, with hashes, for every Python from 3.11 on
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install -qq --disable-pip-version-check uv
	@for name in installer lambda waypost dev personas; do echo "» requirements/$$name.txt"; \
	  .venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --output-file requirements/$$name.txt requirements/$$name.in || exit 1; done
	@rm -rf .venv-lock

personas: $(STAMP) ## Install the personas extra (scikit-learn) beside the rest, and test the grouping
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/personas.txt
	@$(BIN)/python -m pytest -q personas $(ARGS)

texts: $(STAMP) ## Collect the texts of the pages, compile them, and write what CLDR says of languages and countries
	@mkdir -p out && $(BIN)/pybabel --quiet extract -F pyproject.toml -k gettext_noop --no-location --sort-output -o out/pages.pot $(SOURCE)
	@$(BIN)/pybabel --quiet update -D pages -i out/pages.pot -d $(SOURCE)/pages/locale --no-fuzzy-matching --ignore-obsolete \
	  --ignore-pot-creation-date
	@$(BIN)/pybabel --quiet compile -D pages -d $(SOURCE)/pages/locale
	@$(BIN)/python -m lints.cldr
	@$(BIN)/python -m lints.countries

docs: $(STAMP) ## Write the pages that are made of files: the gallery of journeys, the reference of rules
	@$(BIN)/waypost journey gallery
	@$(BIN)/python -m waypost.authoring.rule_reference

format: $(STAMP) ## Format the code and mend what can be mended
	@$(BIN)/ruff format --quiet $(CODE)
	@$(BIN)/ruff check --quiet --fix $(CODE)

clean: ## Remove everything that was built, but not the virtual environment
	@if [ -x $(BIN)/waypost ]; then $(BIN)/waypost down --fresh > /dev/null; fi
	@rm -rf out cdk.out build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

setup: $(STAMP) ## Install everything into .venv

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2> /dev/null || \
	  { echo "error: $(PYTHON) is missing or not Python 3.11 to 3.14 → make PYTHON=/path/to/python3.13 …"; exit 2; }
	@echo "» virtual environment"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || \
	  { echo "error: $(PYTHON) cannot make a virtual environment → install its venv package (python3-venv)"; exit 2; }
	@echo "» locked dependencies"
	@# the installer first: an old one misreads a hashed file; then in the order of their needs, because aws-cdk-lib and its
	@# schema package share a file, and the library's must come last
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/installer.txt || \
	  { echo "error: the installer could not be installed → is the Python package index reachable?"; exit 2; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt || \
	  { echo "error: the dependencies could not be installed → is the Python package index reachable?"; exit 2; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f .venv/.installed-* && touch $@
