"""What the parsers of line formats have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.portions import Broken


@dataclass(slots=True)
class Parsed:
    """Records with their line numbers, broken lines, and how many lines these took."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    used: int = 0


class Parser(Protocol):
    """Turns the lines of a file into records."""

    columns: tuple[str, ...]

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """Parse whole lines.

        Args:
            lines: with their line ends.
            number: the number of the first one in the file.
            last: whether no line follows; otherwise a record that goes on may be left.
        """


def decode_lines(lines: list[bytes], encoding: str) -> list[str | None]:
    """Each line as text without its line end; None for one that is not in this encoding."""
    try:
        # In the encodings that a mapping may name, a line end is a byte of its own.
        texts: list[str | None] = list(b"".join(lines).decode(encoding).split("\n"))
        return texts[: len(lines)]
    except UnicodeDecodeError:
        return [_decode_line(line, encoding) for line in lines]


def _decode_line(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding).removesuffix("\n")
    except UnicodeDecodeError:
        return None


def undecodable(number: int, raw: bytes, encoding: str) -> Broken:
    """A line that is not written in the stream's encoding."""
    return Broken(number, raw, "undecodable", f"the line is not written in {encoding}")
