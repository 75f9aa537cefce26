"""Asks a hub through its command and gathers the answers for the checker."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

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
