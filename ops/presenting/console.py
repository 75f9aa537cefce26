"""Where answers go: standard output, as JSON or tables; standard error says what goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType

Answer = Mapping[str, Any]

_PLAIN_WIDTH = 160


def out() -> Console:
    """The console of answers: standard output."""
    return _console(stderr=False)


def err() -> Console:
    """The console of what goes on: standard error."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        # A file or a pipe has no width to fit into.
        console.width = _PLAIN_WIDTH
    return console


def print_json(answer: Answer) -> None:
    """Print an answer as JSON on standard output."""
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


def show(answer: Answer, as_json: bool, *tables: RenderableType) -> None:
    """Print the JSON, or the tables made of it."""
    if as_json:
        print_json(answer)
        return
    for table in tables:
        out().print(table)
