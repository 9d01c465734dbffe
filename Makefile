# Works on a fresh Debian or Ubuntu with Python 3.11 or later, make and git; everything else is fetched into .venv.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The first that is new enough; `make PYTHON=/path/to/python test` chooses another.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

# $(call need,WHAT,PACKAGES): installs Debian packages where we may, else stops with the line to type.
need = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "installing $(2)"; export DEBIAN_FRONTEND=noninteractive; \
    { apt-get update && apt-get install -y --no-install-recommends $(2); } </dev/null >/dev/null; \
  else echo "$(1) is missing; type: sudo apt-get install -y $(2)" >&2; exit 1; fi

.PHONY: help
help:
	@echo "make demo    all of Lars on this machine, with a few hosts that fail and recover"
	@echo "make test    ruff, mypy, trial and pytest, as CI runs them"
	@echo "make test-clients   builds the C++ and Java clients and tests them, also against a real agent"
	@echo "make soak    the long tests: kill storms and fuzzing"
	@echo "make proto   lars/wire/lars_pb2.py anew from proto/lars.proto"
	@echo "make docs    the documents as a site, build/docs; a broken link or reference fails"
	@echo "make venv    .venv with all that the above need"
	@echo "make clean   away with caches and build output; .venv and data stay"

.PHONY: demo
demo: $(VENV)/.run
	@$(BIN)/lars demo

# trial stops at a broken unit test before pytest runs them again, with the integration tests. Those mostly wait for
# processes, so four at a time suit any machine; each pytest process has a MariaDB of its own.
.PHONY: test
test: $(VENV)/.test mariadb chromium $(VENV)/.axe
	@$(BIN)/ruff check --quiet && $(BIN)/ruff format --quiet --check && echo "ruff: clean"
	@$(BIN)/mypy
	@$(BIN)/python -m twisted.trial --jobs="$$(nproc)" --reporter=text tests.unit
	@$(BIN)/python -m pytest --quiet --numprocesses=4 --dist=worksteal tests/unit tests/integration

# C++ three times: as it is shipped, and with the sanitizers for addresses and for threads.
.PHONY: test-clients
test-clients: $(VENV)/.test compilers
	@cd clients/cpp && mkdir -p build && for preset in release address thread; do \
	  { cmake --preset $$preset && cmake --build --preset $$preset --parallel "$$(nproc)" && ctest --preset $$preset; } \
	    >build/log 2>&1 || { cat build/log; exit 1; }; \
	  echo "C++ client ($$preset): tests pass"; \
	done
	@$(MAKE) --no-print-directory -C clients/java doc test
	@$(BIN)/python -m pytest --quiet --numprocesses=4 tests/clients

.PHONY: soak
soak: $(VENV)/.test mariadb
	@$(BIN)/python -m pytest tests/soak || { [ $$? = 5 ] && echo "tests/soak holds no test yet"; }

.PHONY: docs
docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx --builder html --fresh-env --nitpicky --fail-on-warning --quiet \
	  --doctree-dir build/doctrees docs build/docs
	@echo "build/docs/index.html"

.PHONY: proto
proto: $(VENV)/.test
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=lars/wire --pyi_out=lars/wire proto/lars.proto

.PHONY: venv
venv: $(VENV)/.test

.PHONY: clean
clean:
	rm -rf clients/cpp/build clients/java/target
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .tox _trial_temp* .coverage
	find . -path ./$(VENV) -prune -o \( -name __pycache__ -o -name dropin.cache \) -exec rm -rf {} +

# What the tests run their own server with; the system's is never used.
.PHONY: mariadb
mariadb:
	@export PATH="$$PATH:/usr/sbin:/usr/local/sbin"; \
	{ command -v mariadbd && command -v mariadb-install-db; } >/dev/null || { $(call need,mariadbd,mariadb-server); }

COMPILERS := g++ cmake libprotobuf-dev protobuf-compiler default-jdk-headless libprotobuf-java

.PHONY: compilers
compilers:
	@{ command -v g++ && command -v cmake && command -v protoc && command -v javac && \
	  [ -e /usr/include/google/protobuf/message_lite.h ] && [ -e /usr/share/java/protobuf.jar ]; } >/dev/null || { \
	  $(call need,what compiles the C++ and Java clients,$(COMPILERS)); }

# The browser of the console's tests, with a font for its Chinese, and what checks its pages for accessibility.
.PHONY: chromium
chromium:
	@{ command -v chromium && command -v chromedriver; } >/dev/null || \
	  { $(call need,chromium,chromium chromium-driver fonts-wqy-zenhei); }

$(VENV)/.axe: $(VENV)/.test
	@command -v npm >/dev/null || { $(call need,npm,npm); }
	@npm install --silent --no-save --no-audit --no-fund --prefix $(VENV)/axe axe-core@4
	@touch $@

# .run: lars and what it needs are installed; .test: and what its checks need. Both are made anew when pyproject.toml
# changes, and with .venv when that is not whole: never finished, its Python gone, or the checkout moved.
$(VENV)/.run: pyproject.toml
	@echo "installing lars into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: pyproject.toml
	@echo "installing lars and its checks into $(VENV)"
	@$(PIP) --editable '.[test]'
	@touch $(VENV)/.run $@

$(VENV)/.docs: pyproject.toml
	@echo "installing lars and what builds its documents into $(VENV)"
	@$(PIP) --editable '.[docs]'
	@touch $(VENV)/.run $@

ifneq ($(shell grep -qsF '$(CURDIR)/$(BIN)/python' $(BIN)/pip && $(BIN)/pip --version >/dev/null 2>&1 && echo whole),whole)
$(VENV)/.run $(VENV)/.test $(VENV)/.docs: new-venv
endif

.PHONY: new-venv
new-venv:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or later is missing; type: sudo apt-get install -y python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  $(call need,Python's venv,$$package); }
	@$(PYTHON) -m venv --clear $(VENV)
