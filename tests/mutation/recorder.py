"""A pytest plugin: writes which test reached which lines, and how long each took.

``RINGBACK`` is no part of the names here, since the tests' own fixtures clear those variables.
Coverage of child processes is theirs: `copies` starts it there, with the running test's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

_FOLDER = Path(os.environ["MUTATION_RECORDS"])
_COVERAGE = coverage.Coverage(config_file=os.environ["MUTATION_COVERAGE"], data_suffix=True)
_COVERAGE.start()
_results: dict[str, tuple[float, bool]] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _COVERAGE.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    seconds, passed = _results.get(report.nodeid, (0.0, True))
    _results[report.nodeid] = (seconds + report.duration, passed and not report.failed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    _COVERAGE.stop()
    _COVERAGE.save()
    if not hasattr(session.config, "workerinput"):  # what the workers saw is told to the first
        (_FOLDER / "results.json").write_text(json.dumps(_results))
