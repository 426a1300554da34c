# Two commands are all a stranger needs: `make demo` and `make test`.
# Everything is installed into .venv; nothing else on the machine is changed,
# except that `make test` as root installs the Debian packages that the tests drive.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    := out
# Tests of captures wait for a third of their time: one worker more than this has processors, at most 8. With two a
# processor a test whose simulated host goes on in its own time came too late once.
WORKERS ?= $(shell n=$$(nproc); [ $$n -gt 7 ] && echo 8 || echo $$((n + 1)))

.PHONY: demo test setup lint bench bench-real docs gold samples check clean system

demo: $(VENV)/.demo
	$(BIN)/esxprobe demo --out $(OUT)
	@echo "The report is $(CURDIR)/$(OUT)/demo-software.html"

test: setup system
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder

# --- what they stand on ---------------------------------------------------------------------------

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("esxprobe needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/.demo

setup: $(VENV)/.test

# Debian packages that the tests drive for real. Without root they must be there already.
# user-mode-linux is packaged for x86 only. Where it is missing, tests of real kernels are skipped with a reason.
UML := $(if $(filter x86_64 i686,$(shell uname -m)),linux.uml)

system:
	@missing=; for program in chromium busybox /usr/sbin/sshd $(UML); do \
	  command -v $$program >/dev/null 2>&1 || missing="$$missing $$program"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && export DEBIAN_FRONTEND=noninteractive && \
	  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core openssh-server openssh-client busybox && \
	  { [ -z "$(UML)" ] || apt-get install -y -qq --no-install-recommends user-mode-linux || \
	    echo "user-mode-linux cannot be installed: tests of real kernels are skipped" >&2; }; \
	elif [ "$$missing" = " $(UML)" ]; then echo "$(UML) is not installed: tests of real kernels are skipped" >&2; \
	else echo "make test needs chromium, sshd and busybox: install them, or run as root on Debian" >&2; exit 1; fi

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p esxprobe
	$(BIN)/mypy --platform win32 --config-file .mypy-win32.ini -p esxprobe
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python tests/benches/bench.py
	$(BIN)/python tests/benches/faultcost.py
	$(BIN)/python tests/benches/bothsides.py
	$(BIN)/python tests/benches/frames.py
	$(BIN)/python tests/benches/damage.py
	$(BIN)/python tests/benches/changesim.py
	PYTHONPATH=tests:tests/redact $(BIN)/python tests/benches/canaries.py
	ESXPROBE_EXAMPLES=thorough $(BIN)/python -m pytest -q tests/redact tests/commands/test_report_part.py tests/formats
	SOAK=200 $(BIN)/python -m pytest -q -s tests/ssh/test_collect_soak.py

# Real guests: one capture per kind of workload, about 25 minutes.
bench-real: setup
	$(BIN)/python tests/benches/reallayer.py

docs: setup
	$(BIN)/python -m esxprobe.catalog.quality > docs/quality.md.new && mv docs/quality.md.new docs/quality.md
	$(BIN)/python -m esxprobe.catalog.docs > docs/counters.md.new && mv docs/counters.md.new docs/counters.md
	$(BIN)/python -m esxprobe.formats.hostlogs.events_page > docs/events.md.new && mv docs/events.md.new docs/events.md
	$(BIN)/python -m esxprobe.formats.fetchstats.page > docs/fetchstats.new && mv docs/fetchstats.new docs/fetchstats.md
	$(BIN)/python -m esxprobe.report.rulebook > docs/rules.md.new && mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m esxprobe.report.published_schemas docs
	$(BIN)/python -m esxprobe.report.support_schema docs

# Accepts what the report's view records and its one whole page are now; look at the diff before you commit it.
gold: setup
	GOLD=accept $(BIN)/python -m pytest -q tests/report/test_gold.py

samples: setup
	$(BIN)/python tests/benches/make_samples.py

check: lint test

clean:
	rm -rf $(VENV) $(OUT) dist build
