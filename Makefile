# The two commands of the README are `make quickstart` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2# test processes side by side; a file stays in one of them, with its fixtures
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

# Debian packages; `pip install` of tfkit needs none of them.
RUN_TOOLS := qemu-user libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross
MODEL_TOOLS := $(RUN_TOOLS) gcc libc6-dev llvm-19|llvm-20|llvm-21|llvm-22# a|b: any of these
TEST_TOOLS := $(MODEL_TOOLS) g++ googletest clang libclang-rt-dev adb proot openssh-server openssh-client
BROWSER := chromium|google-chrome-stable# clicks on pages that tfkit writes

.DEFAULT_GOAL := help
.PHONY: help quickstart test test-all bench bench-arm lint format clean run-tools test-tools model-tools browser

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

quickstart: run-tools $(VENV)/.installed ## train, convert, verify, benchmark here and on emulated Arm; writes quickstart/report.html
	$(BIN)/tfkit quickstart -o quickstart

test: test-tools $(VENV)/.installed lint ## everything a change can break, in under 25 minutes on 2 cores
	$(PYTEST) -m "not slow"

test-all: test-tools browser $(VENV)/.installed lint ## full matrices, sanitizers, long fuzz
	$(PYTEST)

bench: run-tools $(VENV)/.installed ## measure every claim and write BENCHMARKS.md
	$(BIN)/python -m tests.claims BENCHMARKS.md

bench-arm: model-tools $(VENV)/.installed ## count and model the Arm kernels under emulation and write BENCHMARKS-ARM.md
	$(BIN)/python -m tests.claims_arm BENCHMARKS-ARM.md

lint: $(VENV)/.installed ## ruff, mypy, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	.ci/typecheck $(BIN)/python
	git ls-files -z 'android_bench/*.cc' 'android_bench/*.h' 'android_bench/*.inc' | xargs -0 -r $(BIN)/clang-format --dry-run --Werror

format: $(VENV)/.installed ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files -z 'android_bench/*.cc' 'android_bench/*.h' 'android_bench/*.inc' | xargs -0 -r $(BIN)/clang-format -i

run-tools:
	@$(if $(NO_TOOLS),true,.ci/tools $(RUN_TOOLS))

test-tools:
	@$(if $(NO_TOOLS),true,.ci/tools $(TEST_TOOLS:%='%') && .ci/qemu-header build/qemu)

browser:
	@$(if $(NO_TOOLS),true,.ci/tools '$(BROWSER)')

model-tools:
	@$(if $(NO_TOOLS),true,.ci/tools $(MODEL_TOOLS:%='%') && .ci/qemu-header build/qemu)

# The build tools come first and stay: without build isolation zig's cache survives from one install to the next.
$(VENV)/.installed: pyproject.toml $(shell git ls-files 'android_bench/*')
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet scikit-build-core==1.1.2 cmake ninja ziglang==0.17.1
	@echo "installing tfkit and what it needs (TensorFlow is large; a few minutes the first time)"
	$(BIN)/pip install --quiet --no-build-isolation --config-settings=cmake.define.TFKIT_WERROR=ON -e '.[dev]'
	touch $@

clean: ## remove what make wrote, except the virtual environment
	rm -rf build quickstart .pytest_cache .mypy_cache .ruff_cache
