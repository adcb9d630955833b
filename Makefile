# Penstock's commands. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS := $(shell nproc)
PRESET ?= release
SECONDS ?= 60
PYTEST := PENSTOCK_NO_SKIPS=1 PYTHONPATH=python $(BIN)/python -m pytest -q
TENSORFLOW := build/tensorflow

.DEFAULT_GOAL := help
.PHONY: help setup build test test-cpp test-python test-tensorflow test-all sanitize fuzz check format bench demo wheel clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 17

setup: $(VENV)/.ready ## Install system packages (where allowed) and the virtual environment.

$(VENV)/.ready: requirements/build.txt requirements/test.txt tools/system_packages.sh
	sh tools/system_packages.sh
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/build.txt -r requirements/test.txt
	touch $@

build: setup ## Build the engine and its bindings (PRESET=release|debug|asan|tsan).
	cmake --preset $(PRESET) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python 
	cmake --build --preset $(PRESET) -j $(JOBS)

test: test-cpp test-python ## Set up, build, run the tests.

test-cpp: build
	ctest --test-dir build/$(PRESET) --output-on-failure -j $(JOBS)

test-python: build
	$(PYTEST)

test-tensorflow: build $(TENSORFLOW)/.ready ## The tests that need TensorFlow, in an environment of its own.
	PYTHONPATH=python $(TENSORFLOW)/bin/python -m pytest -q -m tensorflow tests/python/data/test_tensorflow_batches.py tests/python/examples/test_seed_documents.py

$(TENSORFLOW)/.ready: requirements/build.txt requirements/tensorflow.txt
	test -x $(TENSORFLOW)/bin/python || $(PYTHON) -m venv $(TENSORFLOW)
	$(TENSORFLOW)/bin/pip install --quiet --disable-pip-version-check $(^:%=-r %)
	touch $@

test-all: test ## The tests, then sanitizers, 100,000 simulated jobs, all crash points, the extremes.
	PENSTOCK_SIMULATION_SEEDS=100000 build/release/tests/cpp/dispatcher_tests --gtest_brief=1
	PENSTOCK_FAULT_STRIDE=1 build/release/tests/cpp/fault_tests --gtest_brief=1
	sh tools/check_wheel.sh $(PYTHON) $(BIN)
	$(PYTEST) -m long
	$(MAKE) test-tensorflow
	PENSTOCK_BOMB_GIB=10 $(PYTEST) tests/python/fault/test_bombs.py
	PENSTOCK_KILL_LOOP_S=600 PENSTOCK_KILLS=100 PENSTOCK_STOPS=100 $(PYTEST) tests/python/fault/test_kill_loops.py
	PYTHONPATH=python $(BIN)/python tools/measure_many_files.py --files 1000000
	$(MAKE) sanitize PRESET=asan
	$(MAKE) sanitize PRESET=tsan

# With the system's allocator, whose calls the sanitizers see.
sanitize: build
	ARROW_DEFAULT_MEMORY_POOL=system \
	ASAN_OPTIONS=allocator_may_return_null=1 \
	TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1:suppressions=$(CURDIR)/tools/tsan_suppressions.txt \
	ctest --test-dir build/$(PRESET) --output-on-failure

fuzz: setup ## Fuzz each of our own parsers for SECONDS=60, with clang and its sanitizers.
	sh tools/system_packages.sh clang
	cmake --preset fuzz -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
	cmake --build --preset fuzz -j $(JOBS)
	sh tools/fuzz.sh build/fuzz/tests/fuzz $(SECONDS)

check: setup ## Format, lint, types, layers, comments.
	sh tools/check.sh $(BIN)

format: setup ## Rewrite sources in the project's format.
	git ls-files -co --exclude-standard '*.cc' '*.h' | xargs $(BIN)/clang-format -i
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

bench: build ## Measure beside Ray Data, Daft and a bare loop; write benchmarks/RESULTS.md.
	PYTHONPATH=python $(BIN)/python benchmarks/run.py

demo: build ## Embed the standard library's docstrings with MiniLM and ask a question.
	PYTHONPATH=python $(BIN)/python examples/embed_docstrings.py

wheel: setup ## Build a wheel into dist/.
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove what was built, but not the virtual environment.
	rm -rf build dist python/penstock/*.so
