"""What the parsers of line formats have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.files.dialects import Dialect
from connectors.files.guarded import LONGEST_KEPT, LONGEST_RECORD, MIB
from connectors.portions import Broken


@dataclass(slots=True)
class Parsed:
    """Records with their line numbers, broken lines, and how many lines these took."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    used: int = 0


class Parser(Protocol):
    """Turns the lines of a file into records; ``dialect`` is what is known of it by now."""

    dialect: Dialect

    def parse(self, lines: list[bytes], number: int, last: bool) -> Parsed:
        """Parse whole lines.

        Args:
            lines: with their line ends.
            number: the number of the first one in the file.
            last: whether no line follows; otherwise a record that goes on may be left.
        """


def parse_each(
    lines: list[bytes],
    number: int,
    encoding: str,
    read: Callable[[str], dict[str, Any] | tuple[str, str]],
) -> Parsed:
    """One record for each line that is not blank.

    Args:
        lines: with their line ends.
        number: the number of the first one in the file.
        encoding: see ``decode_lines``.
        read: the record that a line holds, or a code and the reason why it holds none.
    """
    parsed = Parsed(used=len(lines))
    for index, text in enumerate(decode_lines(lines, encoding)):
        line = number + index
        if text is None:
            parsed.broken.append(undecodable(line, lines[index], encoding))
            continue
        if line == 1:
            text = text.removeprefix("\ufeff")
        if not text or text.isspace():
            continue
        row = read(text)
        if isinstance(row, tuple):
            parsed.broken.append(Broken(line, lines[index], *row))
        else:
            parsed.rows.append((line, row))
    return parsed


def decode_lines(lines: list[bytes], encoding: str) -> list[str | None]:
    """Each line as text without its line end; None for one that is not in this encoding.

    Without an encoding they are read as UTF-8, of which ASCII is a part.
    """
    try:
        # In the encodings that a mapping may name, a line end is a byte of its own.
        texts: list[str | None] = list(b"".join(lines).decode(encoding or "utf-8").split("\n"))
        return texts[: len(lines)]
    except UnicodeDecodeError:
        return [_decode_line(line, encoding or "utf-8") for line in lines]


def _decode_line(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding).removesuffix("\n")
    except UnicodeDecodeError:
        return None


def undecodable(number: int, raw: bytes, encoding: str) -> Broken:
    """A line that is not written in the stream's encoding."""
    reason = f"the line is not written in {encoding or 'utf-8'}: name its 'encoding' in the mapping"
    return Broken(number, raw, "undecodable", reason)


def too_long(number: int, raw: bytes) -> Broken:
    """A record over the limit; of one that is longer than is kept, ``raw`` is the beginning."""
    reason = (
        f"the record has more than {LONGEST_RECORD // MIB} MiB: shorten it in its source"
        f" (its first {LONGEST_KEPT // MIB} MiB are kept)"
    )
    return Broken(number, raw[:LONGEST_KEPT], "record_too_long", reason)
