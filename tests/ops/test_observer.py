"""The observer goes on whatever it meets, and what it sees can be read as metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from hub.kafka import Cluster, ensure_topics
from hub.log import configure_logging
from hub.metrics import HUB
from ops.observer import Observer
from ops.stack import Addresses
from schemas.catalogue import TOPICS

NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


class Moody(Cluster):
    """A cluster whose first admin clients can't be made, for reasons that nobody thought of."""

    __slots__ = ("asked", "reasons")

    asked: int
    reasons: list[Exception]

    @contextmanager
    def admin(self, **options: Any) -> Iterator[Any]:
        object.__setattr__(self, "asked", self.asked + 1)
        if self.reasons:
            raise self.reasons.pop(0)
        with Cluster.admin(self, **options) as client:
            yield client


def moody(servers: tuple[str, ...], *reasons: Exception) -> Moody:
    cluster = Moody(servers)
    object.__setattr__(cluster, "asked", 0)
    object.__setattr__(cluster, "reasons", list(reasons))
    return cluster


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


class Complaints(logging.Handler):
    """Keeps what was logged as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[Mapping[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, dict)
        self.heard.append(record.msg)


@pytest.fixture
def complaints() -> Iterator[list[Mapping[str, Any]]]:
    """What the observer has logged as errors."""
    root, logger, handler = logging.getLogger(), logging.getLogger("ops.observer"), Complaints()
    handlers, level = root.handlers[:], root.level
    configure_logging(as_json=True)
    root.handlers[:] = handlers
    logger.addHandler(handler)
    yield handler.heard
    logger.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def test_it_looks_again_after_errors_of_any_kind_and_names_each_once(
    complaints: list[Mapping[str, Any]],
) -> None:
    bugs = [
        KeyError("brokers"),
        KeyError("brokers"),
        RuntimeError("closed"),
        RuntimeError("closed"),
    ]
    cluster = moody(("127.0.0.1:1",), *bugs)
    with Observer(Addresses(NO_DATABASE, cluster), 0.1) as observer:
        until(lambda: cluster.asked >= len(bugs))
        assert observer.latest is None
    assert [one["error"] for one in complaints] == ["KeyError('brokers')", "RuntimeError('closed')"]


def test_an_address_that_makes_no_sense_is_told_and_does_not_end_it(
    complaints: list[Mapping[str, Any]],
) -> None:
    with Observer(Addresses("nonsense", Cluster(("127.0.0.1:1",))), 0.1) as observer:
        until(lambda: bool(complaints))
        assert observer._thread.is_alive()
        with pytest.raises(TimeoutError):
            observer.lags(0.1)


@pytest.mark.stack
def test_it_sees_again_what_it_could_not_and_keeps_it_as_metrics(
    broker: Cluster, database_url: str
) -> None:
    ensure_topics(broker, TOPICS.values(), partitions=1, replication=1)
    cluster = moody(broker.bootstrap_servers, RuntimeError("a bug"))
    began = time.time()
    with Observer(Addresses(database_url, cluster), 0.1) as observer:
        lags = observer.lags(60.0)
        assert observer.latest is not None
    topics = {lag.topic for lag in lags}
    assert topics == {topic.name for topic in TOPICS.values() if topic.kind == "event"}
    for topic in topics:
        records = sum(lag.records for lag in lags if lag.topic == topic)
        assert HUB.get_sample_value("headrace_lag_records", {"topic": topic}) == records
    assert HUB.get_sample_value("headrace_outbox_rows") == observer.latest.backlog.outbox
    seen = HUB.get_sample_value("headrace_backlog_seen_timestamp_seconds")
    assert seen is not None
    assert seen >= began
