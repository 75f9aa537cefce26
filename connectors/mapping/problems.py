"""Errors in a mapping file, each with its path in the YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing that is wrong: where in the YAML (``events[2].fields.net``), and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '(the whole file)'}: {self.message}"


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
