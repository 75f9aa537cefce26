"""Logs go to standard error with personal data masked; metrics carry their units."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from prometheus_client.metrics import MetricWrapperBase

from hub import metrics
from hub.log import RepeatFilter, configure_logging, get_logger

ROOT = Path(__file__).parent.parent.parent
UNITS = ("_seconds", "_records", "_rows")
#: 1 or 0: these have no unit.
STATES = {"headrace_source_failing"}


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored_logging")
def test_a_line_is_one_object_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)
    get_logger("test").info(
        "customer_merged", customer="s4|1", phones=["+86 1"], party={"email": "a"}
    )
    get_logger("test").info("parts", parts=[{"email": "a", "no": 1}, ({"token": "b"}, 2)])
    logging.getLogger("other.library").error("broken")
    printed = capsys.readouterr()
    ours, nested, theirs = map(json.loads, printed.err.splitlines())
    assert printed.out == ""
    assert (ours["event"], ours["level"], ours["customer"]) == ("customer_merged", "info", "s4|1")
    assert (ours["phones"], ours["party"]) == ("***", {"email": "***"})
    assert nested["parts"] == [{"email": "***", "no": 1}, [{"token": "***"}, 2]]
    assert (theirs["event"], theirs["level"]) == ("broken", "error")


@pytest.mark.usefixtures("restored_logging")
def test_chatty_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(as_json=True)
    logging.getLogger("aiokafka.conn").info("connected")
    assert capsys.readouterr().err == ""


def test_a_library_that_repeats_itself_is_heard_once() -> None:
    thin = RepeatFilter()

    def record(logger: str, text: str) -> logging.LogRecord:
        return logging.LogRecord(logger, logging.ERROR, "", 0, text, None, None)

    heard = [thin.filter(record("aiokafka.client", "broker is away")) for _ in range(20)]
    assert heard == [True] + [False] * 19
    assert thin.filter(record("aiokafka.client", "something else"))
    assert all(thin.filter(record("hub.transport", "ours")) for _ in range(3))


def test_every_metric_is_ours_and_says_its_unit() -> None:
    found = {
        metric.name: metric
        for made in vars(metrics).values()
        if isinstance(made, MetricWrapperBase)
        for metric in made.collect()
    }
    assert "headrace_events" in found
    assert all(name.startswith("headrace_") for name in found)
    counted = {name for name, metric in found.items() if metric.type == "counter"}
    assert all(name.endswith(UNITS) for name in found.keys() - counted - STATES)


def test_every_metric_is_set_by_somebody() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("hub", "sinks", "connectors", "streams", "api", "ops")
        for path in (ROOT / room).rglob("*.py")
    )
    made = [name for name, one in vars(metrics).items() if isinstance(one, MetricWrapperBase)]
    unset = [name for name in made if not re.search(rf"\b{name}\.(labels|set|inc|observe)", code)]
    assert made
    assert unset == []


@pytest.mark.usefixtures("restored_logging")
def test_a_slow_task_of_the_kafka_client_is_no_news_for_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("WARNING", as_json=True)
    logging.getLogger("kafka.net.selector").warning("Task %s ran for 0.149s", "x")
    assert capsys.readouterr().err == ""
    logging.getLogger("kafka.net.selector").error("broken")
    logging.getLogger("kafka.client").warning("no broker")
    assert len(capsys.readouterr().err.splitlines()) == 2
