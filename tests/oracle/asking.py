"""Asks a hub, through its command or in its database, and gathers the answers for the checker."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from hub.settings import Settings
from ops.asking import (
    ask_customers,
    ask_demand,
    ask_documents,
    ask_receivables,
    ask_status,
    snapshot,
)
from tests.oracle.answers import Answers, Json
from tests.oracle.contracts import contracts

ROOT = Path(__file__).resolve().parents[2]


def headrace(config: Path, *arguments: str, seconds: float = 300) -> Json:
    """Run `headrace ARGUMENTS --json` on a configuration and return what it printed.

    Raises CalledProcessError where it failed, TimeoutExpired where it took too long.
    """
    command = [sys.executable, "-m", "ops.cli", *arguments, "--json", "--config", str(config)]
    ran = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        timeout=seconds,
        cwd=ROOT,
    )
    found: Json = json.loads(ran.stdout)
    return found


def ask_hub(config: Path, as_of: Iterable[str] = (), *, documents: bool = True) -> Answers:
    """Return everything that the checker compares.

    Receivables are asked for the hub's business date and for each date of `as_of`.
    """
    receivables = [headrace(config, "show", "receivables")]
    receivables += [headrace(config, "show", "receivables", "--as-of", day) for day in as_of]
    found = {}
    if documents:
        for contract in contracts().values():
            shown = headrace(config, "show", "documents", contract.document)
            found[contract.document] = shown["rows"]
    return Answers(
        customers=headrace(config, "show", "customers"),
        demand=headrace(config, "show", "demand"),
        receivables=tuple(receivables),
        status=headrace(config, "status"),
        documents=found,
        dead_letters=headrace(config, "dead-letters", "list")["rows"],
    )


class AskedDocuments(Mapping[str, list[Json]]):
    """The documents of a hub by type; each type is asked for when it is looked at.

    All types at once may not fit into memory. `figures` counts the values that were answered.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.figures = 0

    def __getitem__(self, kind: str) -> list[Json]:
        rows: list[Json] = ask_documents(self._url, kind, None)["rows"]
        self.figures += figures_in(rows)
        return rows

    def __iter__(self) -> Iterator[str]:
        return (contract.document for contract in contracts().values())

    def __len__(self) -> int:
        return len(contracts())


def figures_in(answer: object) -> int:
    """Count the values in an answer: those at the ends of its objects and lists."""
    if isinstance(answer, dict):
        return sum(map(figures_in, answer.values()))
    if isinstance(answer, list | tuple):
        return sum(map(figures_in, answer))
    return 1


def ask_database(url: str, settings: Settings, as_of: Iterable[date]) -> Answers:
    """Return everything that the checker compares, asked in this process, which is quicker.

    Receivables are asked for each date of `as_of`.
    """
    return Answers(
        customers=ask_customers(url, settings, None),
        demand=ask_demand(url, settings, None),
        receivables=tuple(ask_receivables(url, settings, day) for day in as_of),
        status=ask_status(url, settings, None),
        documents=AskedDocuments(url),
        dead_letters=ask_letters(url),
    )


def ask_letters(url: str) -> list[Json]:
    """Return the dead letters, all of them."""
    columns = ("stage", "code", "reason", "document", "topic", "partition", "position", "place")
    with snapshot(url) as connection:
        rows = connection.execute(f"SELECT {', '.join(columns)} FROM dead_letters").fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]
