PYTHON ?= python3
BIN := .venv/bin
# nngen with torch; and with what tests and documentation need.
NNGEN := .venv/.nngen
READY := .venv/.ready
REFERENCE := .venv-reference
PEER := .venv-peer
FUZZ ?= 60
SEED ?= $$(date +%s)
# Whoever sets this has each of the many processes below compile all of nngen anew.
unexport PYTHONDONTWRITEBYTECODE
# In this order each worker has tests of the same folders, which share what they build.
PYTEST := $(BIN)/pytest -n 2 --dist worksteal

.PHONY: check test test-long lint types built fuzz pythons torches demo site docs playground reference benchmark format clean

# While working: within a minute, what needs neither torch nor a browser.
check: $(READY)
	@$(MAKE) --no-print-directory -j 2 lint types
	$(PYTEST) -m "not torch and not browser and not heavy and not slow"

# Some tests need programs (apt-get install chromium fonts-noto-cjk g++ graphviz nodejs npm); without them they are skipped.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 lint types
	$(PYTEST) -m "not slow"
	@$(MAKE) --no-print-directory -j 2 built fuzz FUZZ=15 SEED=0

# Before a release: larger models and all samples, too.
test-long: $(READY)
	@$(MAKE) --no-print-directory lint types
	$(PYTEST)
	@$(MAKE) --no-print-directory built fuzz SEED=0

lint: $(READY)
	$(BIN)/black --check --quiet . || { $(BIN)/black --diff --quiet .; exit 1; }
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

# Whether generated/ is what specs/ give.
built: $(READY)
	$(BIN)/nngen build specs/*.yaml --check --diff

# Fuzzes specs; `make fuzz FUZZ=3600` for an hour, `.venv/bin/python -m tests.fuzz --help` for more.
fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ) --seed $(SEED)

# Builds all specs with each Python that is to be found, and compares the bytes.
pythons: $(READY)
	$(BIN)/python -m tests.files.same_everywhere

# The tests of the catalog and the specs with each minor version of torch: hours, and gigabytes to fetch. A second run
# does what is missing. Writes the tables of docs/versions.md.
torches: $(READY)
	$(BIN)/python -m tests.torches

demo: $(NNGEN)
	$(BIN)/nngen build specs/cnn.yaml -o .venv/demo
	$(BIN)/nngen verify specs/cnn.yaml
	$(BIN)/nngen diff specs/cnn.yaml --no-pager
	@echo "To go on, in a folder of your own: . $(abspath $(BIN))/activate; nngen init net.yaml"

# The pages of all specs, the course and the pitfalls: open site/index.html.
site: $(READY)
	$(BIN)/nngen lesson specs/*.yaml -o site $(if $(wildcard site-playground),--playground ../site-playground/index.html)

# The documentation: open site-docs/index.html.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The playground: python -m http.server -d site-playground. Takes Node.js and npm; nothing of them is in the package.
playground: $(READY)
	npm ci --prefix playground --no-audit --no-fund --silent
	node playground/build.mjs site-playground $(BIN)/python

# Compares with torchvision's and transformers' own models; `make reference NAMES=resnet18` with these of torchvision.
reference: $(REFERENCE)/.ready
	$(REFERENCE)/bin/python tests/reference/compare_torchvision.py $(NAMES)
	$(REFERENCE)/bin/python tests/reference/compare_transformers.py

# nngen and its models beside others; the figures of docs/benchmarks.md. An idle machine tells most.
benchmark: $(READY) $(PEER)/.ready
	@$(BIN)/python -m benchmarks.peers --peer $(PEER)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/black .

clean:
	rm -rf .venv .venv-reference .venv-peer .torches site site-docs site-playground playground/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find nngen generated tests -name __pycache__ -prune -exec rm -rf {} +

# The build backend runs apart from the environment: its versions come from these two.
$(NNGEN) $(READY): export PIP_CONSTRAINT := constraints.txt
$(NNGEN) $(READY): export PIP_BUILD_CONSTRAINT := constraints.txt
$(NNGEN) $(READY): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(NNGEN): pyproject.toml constraints.txt
	@echo "Setting up .venv: PyTorch, nngen and what it needs"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt -e '.[torch]'
	@touch $@

$(READY): $(NNGEN)
	@echo "Adding to .venv what the tests and the documentation need"
	$(BIN)/python -m pip install -c constraints.txt -e '.[torch,test,docs]'
	@touch $@

$(REFERENCE)/.ready: constraints.txt
	$(PYTHON) -m venv $(REFERENCE)
	$(REFERENCE)/bin/python -m pip install --quiet -c constraints.txt torch numpy pillow==13.0.0
	$(REFERENCE)/bin/python -m pip install --quiet -c constraints.txt transformers==5.23.0
	$(REFERENCE)/bin/python -m pip install --quiet --no-deps torchvision==0.28.0
	touch $@

# By its own venv, pinned: structcast-model is measured beside nngen, and used by nothing.
$(PEER)/.ready: benchmarks/peer/requirements.txt
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet --no-deps -r benchmarks/peer/requirements.txt
	touch $@
