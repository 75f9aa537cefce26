"""What of the libraries' logs is printed where a person looks on."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.log import configure_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_slow_task_of_the_kafka_client_is_no_news_for_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("WARNING", as_json=True)
    logging.getLogger("kafka.net.selector").warning("Task %s ran for 0.149s", "x")
    assert capsys.readouterr().err == ""
    logging.getLogger("kafka.net.selector").error("broken")
    logging.getLogger("kafka.client").warning("no broker")
    assert len(capsys.readouterr().err.splitlines()) == 2
