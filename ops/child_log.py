"""A child's output: kept in a bounded log file, its errors passed on to our standard error."""

import json
import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

_LARGEST_BYTES = 5_000_000
_KEPT_FILES = 2
_ERROR_LEVELS = frozenset({"error", "critical", "exception", "fatal"})


class ChildLog:
    """Writes each line of a child's output to ``path``; one thread per running child."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._file = RotatingFileHandler(
            path, maxBytes=_LARGEST_BYTES, backupCount=_KEPT_FILES, encoding="utf-8", delay=True
        )
        self._readers: list[threading.Thread] = []

    def follow(self, output: IO[bytes]) -> None:
        """Read ``output`` to its end in the background, and close it."""
        reader = threading.Thread(
            target=self._copy, args=(output,), name=f"log-{self._name}", daemon=True
        )
        self._readers = [thread for thread in self._readers if thread.is_alive()]
        self._readers.append(reader)
        reader.start()

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Wait for what the child has still written, and close the file."""
        for reader in self._readers:
            reader.join(timeout_seconds)
        self._file.close()

    def _copy(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode(errors="replace").rstrip("\n")
                self._file.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))
                if is_error(text):
                    print(f"{self._name}: {text}", file=sys.stderr, flush=True)


def is_error(line: str) -> bool:
    """Whether a line of log tells of an error: by its level, or as it is no line of a log."""
    if not line.startswith("{"):
        return bool(line.strip())
    try:
        return str(json.loads(line).get("level", "")).lower() in _ERROR_LEVELS
    except ValueError:
        return True
