# Two commands matter: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/python -m uv
STAMP  := $(VENV)/.installed

.PHONY: install demo test lint unit faults judges bench run lock clean
.DEFAULT_GOAL := install

install: $(STAMP)

# A newer installer than the one an old Python brings, then exactly the versions of the lock, checked by hash.
$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Clausewire needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 install")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: install
	$(BIN)/clausewire demo

run: install
	$(BIN)/clausewire run

test: lint unit

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: install
	$(BIN)/pytest

KILLS  ?= 100
BROKER ?= embedded

faults: install
	$(BIN)/python tests/faults/run.py --kills $(KILLS) --broker $(BROKER)

# Judges that are not ours; ends with `judges: N passed, N failed`. DATA=DIR judges every pair of a data folder.
judges: install
	$(BIN)/python -m tests.judges.run $(if $(DATA),--data $(DATA)) $(if $(OUT),--out $(OUT))

bench: install
	$(BIN)/clausewire bench all

# The second lock is the image's: the program and the extras that it comes with, at the versions of the first.
IMAGE_EXTRAS := apprise dkim otel pdf rocksdb s3 warc
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

lock:
	$(COMPILE) --all-extras --upgrade -o requirements.lock pyproject.toml
	$(COMPILE) $(IMAGE_EXTRAS:%=--extra %) -c requirements.lock -o deploy/requirements.lock pyproject.toml deploy/build.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
