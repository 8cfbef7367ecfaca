# `make help` lists the targets. Everything is installed into .venv from requirements.lock; nothing else is touched.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
FOLDER ?= demo/completejourney
ARGS ?=
OPEN ?= yes
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install openmp demo serve ui notebooks test lint bench lock clean

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

openmp:
	@for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || continue; \
	  exec "$$python" -c "$$FIND_OPENMP"; \
	done; echo "Found no Python 3.11 to 3.14 (looked for: $(PYTHONS)). Next: install one." >&2; exit 1

$(INSTALLED): requirements.lock pyproject.toml | openmp
	@for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || continue; \
	  echo "Installing into $(VENV) with $$("$$python" --version): a minute or two"; \
	  "$$python" -m venv --clear $(VENV) || exit 1; break; \
	done
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(INSTALLED) ## the environment, from the lock

demo: $(INSTALLED) ## example leads, trained, scored and served (ARGS="--world b2b", ARGS=--no-serve)
	@$(BIN)/propensity demo $(ARGS)

serve: $(INSTALLED) ## the service and pages of a workspace (FOLDER=demo/completejourney)
	@$(BIN)/propensity serve $(FOLDER) $(ARGS)

ui: $(INSTALLED) ## MLflow's page over the runs of a workspace (FOLDER=demo/completejourney)
	@test -n "$$MLFLOW_TRACKING_URI" -o -e $(FOLDER)/.propensity/mlflow.db || \
	  { echo "Found no runs in $(FOLDER). Next: make demo, or name a trained workspace: make ui FOLDER=mine" >&2; exit 2; }
	@MLFLOW_DISABLE_TELEMETRY=true $(BIN)/mlflow ui --host 127.0.0.1 --port 5000 \
	  --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///$(abspath $(FOLDER))/.propensity/mlflow.db}" $(ARGS)

notebooks: $(INSTALLED) ## the notebooks, run on a workspace and opened in Jupyter (FOLDER=mine, OPEN=no)
	@test -e $(FOLDER)/propensity.toml -o $(FOLDER) != demo/completejourney || $(BIN)/propensity demo --no-serve
	@mkdir -p build/notebooks
	@export PROPENSITY_FOLDER="$(abspath $(FOLDER))"; for each in notebooks/*.py; do \
	  name=$$(basename $$each .py); echo "Running $$name"; \
	  $(BIN)/jupytext --quiet --to ipynb --output build/notebooks/$$name.ipynb $$each && \
	  $(BIN)/jupyter nbconvert --log-level WARN --to notebook --execute --inplace build/notebooks/$$name.ipynb && \
	  $(BIN)/jupyter nbconvert --log-level WARN --to html build/notebooks/$$name.ipynb || exit 1; \
	done
	@echo "build/notebooks holds each as .ipynb and .html"
	@test "$(OPEN)" = no || PROPENSITY_FOLDER="$(abspath $(FOLDER))" $(BIN)/jupyter lab build/notebooks

lint: $(INSTALLED) ## ruff, the type checker and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint ## lint, then all tests (ARGS="-k calibration")
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(INSTALLED) ## speed and memory beside the peers, as ratios from one run
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

lock: ## resolve requirements.lock anew (needs uv)
	uv lock --quiet
	uv export --quiet --all-extras --no-emit-project --no-header --no-annotate --format requirements-txt --output-file requirements.lock

clean: ## remove what make made
	rm -rf $(VENV) build dist demo

PYTHONS := python3 python3.14 python3.13 python3.12 python3.11

define FIND_OPENMP
import ctypes, ctypes.util, sys
mac = sys.platform == "darwin"
names = ["/opt/homebrew/opt/libomp/lib/libomp.dylib", "/usr/local/opt/libomp/lib/libomp.dylib", "libomp.dylib"] if mac else ["libgomp.so.1"]
found = ctypes.util.find_library("omp" if mac else "gomp")
for name in [*names, *([found] if found else [])]:
    try:
        ctypes.CDLL(name)
        sys.exit(0)
    except OSError:
        pass
package = "brew install libomp" if mac else "apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora, RHEL)"
sys.exit("Found no OpenMP library, which LightGBM needs. Next: " + package)
endef
export FIND_OPENMP
