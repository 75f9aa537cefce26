"""Errors in a mapping file, each with its path in the YAML and the line where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands: the file, its line and column (from 1), and the line's text."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def picture(self) -> str:
        """The line, and a caret under the column."""
        lead = "".join("\t" if sign == "\t" else " " for sign in self.text[: self.column - 1])
        return f"{self.text}\n{lead}^"


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing that is wrong: where in the YAML (``events[2].fields.net``), and what.

    ``key`` is the key under ``path`` that is wrong, if it is a key; ``spot`` is known once the
    file has been looked at.
    """

    path: str
    message: str
    key: str | None = None
    spot: Spot | None = None

    def __str__(self) -> str:
        where = "" if self.spot is None else f"{self.spot}: "
        return f"{where}{self.path or '(the whole file)'}: {self.message}"


class MappingError(Exception):
    """A mapping that can't be used; ``problems`` holds everything that was found at once."""

    def __init__(self, origin: str, problems: Iterable[MappingProblem]) -> None:
        self.origin = origin
        self.problems = tuple(problems)
        super().__init__("\n  ".join([f"mapping {origin}:", *map(str, self.problems)]))


class Fault(Exception):
    """Raised while one part of a mapping is compiled; collected into a MappingError."""

    def __init__(self, *problems: MappingProblem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@contextmanager
def collected(problems: list[MappingProblem]) -> Iterator[None]:
    """Add what the block finds wrong to ``problems`` and go on behind it."""
    try:
        yield
    except Fault as fault:
        problems += fault.problems


def guessed(found: Any, allowed: Collection[str]) -> str:
    """`` (did you mean 'net'?)`` where one of ``allowed`` is much like ``found``, else nothing."""
    lowered = {word.lower(): word for word in allowed}
    near = get_close_matches(str(found).lower(), lowered, n=1, cutoff=0.7)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""
