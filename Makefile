# Firn: everything that a person or CI runs. `make help` lists it.

SWIFT ?= swift
TEST_FLAGS := --disable-xctest --scratch-path .build-test -Xswiftc -warnings-as-errors

.PHONY: help deps build demo test unit lint examples docs bench bench-kernels bench-encodings crash mutants fuzz fuzz-smoke fuzz-seeds clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

deps: ## Install what is missing (Debian/Ubuntu; uses sudo when not root)
	@Scripts/install-dependencies.sh

build: deps ## Build the firn command, optimised
	$(SWIFT) build -c release --product firn

demo: build ## Load real data, query it, kill an ingest half-way, find every acknowledged row
	@Scripts/demo.sh .build/release/firn

test: deps ## All that CI checks; ends with "N passed, N failed"
	@Scripts/test.sh

unit: ## The unit tests alone; FILTER=name runs a part of them
	$(SWIFT) test $(TEST_FLAGS) $(if $(FILTER),--filter $(FILTER))

lint: ## Check formatting
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples fuzz/Package.swift fuzz/Harness fuzz/Targets

examples: ## Build and run the example programs
	$(SWIFT) run --package-path Examples/Embed

docs: ## Build the DocC documentation; warnings are errors
	@Scripts/documentation.sh

bench: build ## Compare with PostgreSQL and DuckDB; writes Benchmarks/RESULTS.md
	@Scripts/bench.sh

bench-kernels: deps ## Measure the hot loops at each CPU level; writes Benchmarks/KERNELS.md
	$(SWIFT) build --package-path Benchmarks/KernelBench --scratch-path .build-kernels -c release -Xswiftc -enable-testing --product firn-kernels
	.build-kernels/release/firn-kernels >.build-kernels/KERNELS.md
	mv .build-kernels/KERNELS.md Benchmarks/KERNELS.md

bench-encodings: deps ## Bits a value of real columns beside pcodec, zstd and Parquet; DATA=folder; writes docs/encodings.md
	@Scripts/bench-encodings.sh "$(DATA)"

crash: build ## SIGKILL a synced ingest 200 times; ROUNDS=n changes the number
	@python3 Scripts/kill-loop.py .build/release/firn --rounds $(or $(ROUNDS),200)

mutants: deps ## Plant one bug at a time and see that a test finds it; ONLY=names plants those; writes docs/mutants.md
	@python3 Scripts/mutants.py $(ONLY)

fuzz: deps ## Fuzz one TARGET for SECONDS=60 (fuzz/README.md lists the targets)
	@Scripts/fuzz.sh "$(TARGET)" "$(or $(SECONDS),60)"

fuzz-smoke: deps ## Read the fuzz targets' committed inputs, without the fuzzer; a part of `make test`
	$(SWIFT) test $(TEST_FLAGS) --filter FuzzReplayTests

fuzz-seeds: deps ## Write the seeds of the fuzz targets anew, as after a change of the format
	FIRN_FUZZ_SEEDS=write $(SWIFT) test $(TEST_FLAGS) --filter FuzzReplayTests/seedsAreWritten

clean: ## Remove all that was built
	rm -rf .build .build-* Examples/Embed/.build Benchmarks/.build fuzz/.build
