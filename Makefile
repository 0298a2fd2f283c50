# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo build test setup lint format clean
# The stages of one goal go in order, and two Swift builds would wait for each other anyway.
.NOTPARALLEL:

stage := Scripts/stage
swift_sources = $(wildcard Sources Tests Examples Package.swift)

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## installs what is missing, builds the tour and runs it: a narrated minute, no Redis needed
	@$(stage) "Install what is missing" Scripts/setup
	@[ -d .build ] || echo "The first build takes some minutes, most of them for the packages that Chard uses."
	@$(stage) "Build the tour" swift build --product tour
	@swift run --skip-build tour

build: ## builds everything, debug
	@$(stage) "Install what is missing" Scripts/setup
	@$(stage) "Build" swift build

test: export CHARD_TEST_PYTHON := $(CURDIR)/.venv/bin/python
test: ## lints, builds and runs all tests, those against Redis and Celery too
	@$(stage) "Install what is missing" Scripts/setup --python
	@$(MAKE) --no-print-directory lint
	@$(stage) "Build with tests" swift build --build-tests
	@$(stage) "Build the program chard" swift build --product chard
	@$(stage) "Build the program interop" swift build --product interop
	@$(stage) "Run the tests" swift test --skip-build --disable-xctest

setup: ## installs what is missing: libraries, redis-server, and .venv with Celery
	@$(stage) "Install what is missing" Scripts/setup --python

lint: ## checks the format of all Swift code
	@$(stage) "Lint" swift format lint --strict --recursive --parallel $(swift_sources)

format: ## brings all Swift code into format
	@$(stage) "Format" swift format --in-place --recursive --parallel $(swift_sources)

clean: ## removes what builds and tests have made, .venv too
	rm -rf .build .venv Tests/Interop/__pycache__
