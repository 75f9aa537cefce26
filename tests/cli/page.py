"""Runs the console blocks of a page of the documentation, and compares what they print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.shop import Shop

#: Stands for any lines.
ANYTHING = "…"
#: What differs from run to run.
_CHANGING = re.compile(r"\b\d+\.\d(?= s\b|$)", re.MULTILINE)

_BLOCK = re.compile(r"<!-- now: (?P<file>\S+) -->|```console\n(?P<block>.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page with the lines that it prints there."""

    words: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A place where the reader has edited a file: from here on it is the one that is shipped."""

    file: str


def steps_of(text: str) -> Iterator[Command | Edit]:
    """The commands of a page's console blocks and its edits, in their order."""
    for found in _BLOCK.finditer(text):
        if found["file"] is not None:
            yield Edit(found["file"])
            continue
        for part in re.split(r"^\$ ", found["block"], flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Command(tuple(shlex.split(command)), output)


def printed(shop: Shop, command: Command) -> str:
    """What a ``headrace`` command prints on both outputs, as the page shows it."""
    assert command.words[0] == "headrace", command
    ran = shop.run(*command.words[1:], timeout=200)
    lines = [line.rstrip() for line in (ran.out + ran.err).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n"


def fits(shown: str, found: str) -> bool:
    """Whether the page shows what was found, but for times and what it leaves out."""
    parts = [
        re.escape(_CHANGING.sub("#", part.strip("\n")))
        for part in re.split(rf"^{ANYTHING}$", shown, flags=re.MULTILINE)
    ]
    return re.fullmatch(".*".join(parts), _CHANGING.sub("#", found.strip("\n")), re.S) is not None


def edited(shop: Shop, example: Path, file: str) -> None:
    """Put the shipped file where the reader has the edited one."""
    (shop.folder / file).write_text((example / file).read_text(encoding="utf-8"), encoding="utf-8")
