# The CI calls these targets and nothing else. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LESSONS ?=
LESSON ?=
MODELS ?=
# A fork renders its own badges and set-up cells: make build REPOSITORY=https://github.com/you/your-fork
export REPOSITORY
# pip takes exactly these versions; torch comes first and alone, so that no range can pull in another build of it.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock
NBVAL := $(BIN)/python -m pytest -q -p no:cacheprovider -p tests.progress -p tests.notebooks --nbval-lax --nbval-cell-timeout=900 --dist loadscope -n 2

# In a container everything runs as root, and Jupyter wants to be told so.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

.DEFAULT_GOAL := help
.PHONY: help setup lab new lesson build check stale quick test learner test-gpu course progress bench weights grade-demo lint lock clean system-tools

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/torch: requirements.lock
	@echo "Setting up $(VENV) (once; a few minutes on a slow line) ..."
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Reach needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) "$$(grep '^torch==' requirements.lock)"
	@touch $@

$(VENV)/lab: $(VENV)/torch pyproject.toml
	$(INSTALL) --editable ".[lab]"
	@touch $@

$(VENV)/author: $(VENV)/torch pyproject.toml
	$(INSTALL) --editable ".[test]"
	@touch $@ $(VENV)/lab

setup: $(VENV)/author  ## make the virtual environment with everything: lessons, author's tools, tests

lab: $(VENV)/lab  ## open JupyterLab on the first notebook
	$(BIN)/jupyter lab $(AS_ROOT) notebooks/00_start_here.ipynb

new: $(VENV)/author  ## begin a lesson: LESSON=15 TOPIC=diffusion TITLE="Diffusion: how does noise become an image?"
	@$(BIN)/python -m tools.new "$(LESSON)" "$(TOPIC)" "$(TITLE)"

lesson: $(VENV)/author  ## all that concerns one lesson: LESSON=15
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	REACH_PROGRESS=off $(BIN)/python -m tools.check_lesson "$(LESSON)"

build: $(VENV)/author  ## make notebooks/ and solutions/ from lessons/ (LESSONS="01 03" builds some)
	$(BIN)/python -m tools.build $(LESSONS)

check: $(VENV)/author  ## fail if notebooks/ or solutions/ differ from what lessons/ give
	$(BIN)/python -m tools.build --check

stale: $(VENV)/author  ## list the lessons whose modules of utils/ have changed since they were last run
	@$(BIN)/python -m tools.stale

lint: $(VENV)/author  ## format, lint, types and declared dependencies, lessons included
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/deptry .
	$(BIN)/pyright --pythonpath $(BIN)/python

# Three workers on two cores: one of them mostly waits, for a kernel, a page or a time limit.
TESTS := REACH_PROGRESS=off OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 3 --dist worksteal -p tests.progress tests
LINT_AND_CHECK := $(MAKE) --no-print-directory --jobs=2 lint check

quick: $(VENV)/author  ## what takes three minutes: no attacks, no sandbox, no browser, no notebooks
	$(LINT_AND_CHECK)
	$(TESTS) -n 2 -m "not attack and not browser and not sandbox and not slow"

test: export OMP_NUM_THREADS = 1
test: $(VENV)/author  ## everything: unit tests, checks against their mistakes, every notebook by nbval
	$(LINT_AND_CHECK)
	$(TESTS)
	REACH_PROGRESS=off $(NBVAL) notebooks solutions

learner: $(VENV)/author  ## what learners run: unit tests of utils and the first lessons; CI runs it on Windows and macOS
	$(BIN)/python -m tests.learner

test-gpu: $(VENV)/author  ## every notebook by nbval on CUDA; fails if CUDA was not used
	REACH_REQUIRE_CUDA=1 REACH_PROGRESS=off $(NBVAL) -n 1 notebooks solutions

course: $(VENV)/author  ## run every solution and leave report/index.html (LESSONS="02 03" runs some)
	$(BIN)/python -m tools.run_course $(LESSONS)

progress: $(VENV)/lab  ## show what you have passed so far
	@$(BIN)/python -m utils.progress

bench: $(VENV)/author  ## measure the speed claims; writes bench/results.json
	$(BIN)/python -m bench

weights: $(VENV)/author  ## train the models of data/weights/ that are missing (MODELS="char_lstm mnist_cnn" trains these)
	$(BIN)/python -m tools.train_weights $(MODELS)

DEMO ?= demo-class
grade-demo: $(VENV)/author  ## make a class of 60, some of it hostile, grade it, and open the class page
	$(BIN)/reach-grade demo --class $(DEMO)
	$(BIN)/reach-grade grade --class $(DEMO) --cell-seconds 10
	$(BIN)/reach-grade feedback --class $(DEMO)
	$(BIN)/reach-grade report --class $(DEMO) --open

system-tools:  ## as root, on Debian or Ubuntu: the sandbox for grading; the browser, the database and the network of tests
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends bubblewrap chromium iproute2 postgresql >/dev/null
	@# Ubuntu keeps ordinary users from making namespaces.
	@! sysctl -n kernel.apparmor_restrict_unprivileged_userns >/dev/null 2>&1 || sysctl -w kernel.apparmor_restrict_unprivileged_userns=0

TORCH ?= 2.13.0
lock:  ## write requirements.lock anew: the newest versions that go with TORCH, from an environment of their own
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet torch==$(TORCH)
	$(VENV)-lock/bin/pip install --quiet --editable ".[test]"
	$(VENV)-lock/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock
	rm -rf $(VENV)-lock

clean:  ## remove the virtual environment and what was generated on the way
	rm -rf $(VENV) report *.egg-info .pytest_cache .ruff_cache
