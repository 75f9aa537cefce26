"""Structured logs on standard error, with personal data masked and repeated outcries thinned."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

MASK = "***"
_PERSONAL = frozenset(
    {"email", "emails", "phone", "phones", "tax_id", "street", "password", "token", "secret"}
)
# aiokafka reports a broker that is away twenty times a second; Faust turns prints into records.
_CHATTY = ("aiokafka", "kafka", "faust", "mode", "alembic", "jgo")
# kafka-python's loop warns of any task that took a tenth of a second: on a busy machine, often.
# Its SCRAM warns of credentials in the clear, which SCRAM never sends.
_HEARD_FROM_ERRORS_ON = ("kafka.net.selector", "kafka.net.sasl.scram")
_REPEAT_SECONDS = 10.0


def configure_logging(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send the logs of this process, the libraries' too, to standard error.

    Args:
        level: the lowest level shown.
        as_json: one JSON object a line; by default where standard error is no terminal.
    """
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[structlog.typing.Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RepeatFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _HEARD_FROM_ERRORS_ON:
        logging.getLogger(name).setLevel(max(logging.ERROR, root.level))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of this name; facts go into keywords: ``log.info("restarted", name=…)``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def mask_personal_data(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the values of keys that hold personal data or secrets, at any depth."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def _masked(key: str, value: Any) -> Any:
    if key in _PERSONAL and value:
        return MASK
    if isinstance(value, dict):
        return {inner: _masked(str(inner), content) for inner, content in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", entry) for entry in value]
    return value


class RepeatFilter(logging.Filter):
    """Lets a library's warning or error with the same text through once in ten seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is shown."""
        if not record.name.startswith(_CHATTY) or not isinstance(record.msg, str):
            return True
        place = (record.name, record.msg)
        now = time.monotonic()
        shown = now - self._last.get(place, -_REPEAT_SECONDS) >= _REPEAT_SECONDS
        if shown:
            self._last[place] = now
        return shown
