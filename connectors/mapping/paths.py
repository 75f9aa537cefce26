"""Paths into nested records: names, positions and predicates; one element is a list of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from connectors.mapping.values import as_text

#: The text of an XML element that has attributes or elements beside it.
TEXT = "#text"

_PREDICATE = re.compile(
    r"""\[\s*(?P<of>[^\[\]=!'"]+?)\s*(?P<sign>!?=)\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*\]"""
)
#: Stands for a predicate while the path is cut at its slashes.
_CUT = "\0"


@dataclass(frozen=True, slots=True)
class Predicate:
    """``[of='value']``: keeps the elements in which the path ``of`` has this text, or has not."""

    of: tuple[Step, ...]
    value: str
    negated: bool

    def holds(self, element: Any) -> bool:
        """Whether an element is kept."""
        same = any(as_text(found) == self.value for found in values_at(self.of, element))
        return same != self.negated


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: into the field ``name``, to those elements that all predicates keep."""

    name: str
    predicates: tuple[Predicate, ...] = ()


def is_path(text: str) -> bool:
    """Whether a text leads into a record: a JSON pointer, or a name with a predicate."""
    return text.startswith("/") or _PREDICATE.search(text) is not None


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of ``/a/0/b`` or ``E1EDK03[IDDAT='012']/DATUM``.

    Raises:
        ValueError: a predicate is not written as ``name[field='value']``.
    """
    predicates: list[Predicate] = []

    def cut(found: re.Match[str]) -> str:
        value = found["single"] if found["single"] is not None else found["double"]
        of = tuple(Step(name) for name in found["of"].split("/"))
        predicates.append(Predicate(of, value, found["sign"] == "!="))
        return _CUT

    steps = []
    taken = 0
    for part in _PREDICATE.sub(cut, text).removeprefix("/").split("/"):
        name = part.rstrip(_CUT)
        count = len(part) - len(name)
        if _CUT in name or (count and not name) or re.search(r"\[[^\]]*=", name):
            raise ValueError(f"a predicate is written as name[field='value'], found {text!r}")
        own = tuple(predicates[taken : taken + count])
        steps.append(Step(name.replace("~1", "/").replace("~0", "~"), own))
        taken += count
    return tuple(steps)


def found_at(steps: tuple[Step, ...], record: Any) -> list[Any]:
    """What stands at the end of a path: a list where the last step finds one, as it is."""
    current = [record]
    for step in steps:
        reached = [child for value in current for child in _children(step.name, value)]
        if step.predicates:
            reached = [
                each
                for child in reached
                for each in (child if isinstance(child, list) else [child])
                if all(predicate.holds(each) for predicate in step.predicates)
            ]
        current = reached
    return current


def values_at(steps: tuple[Step, ...], record: Any) -> list[Any]:
    """All elements at the end of a path, those of lists one by one."""
    several: list[Any] = []
    for found in found_at(steps, record):
        several += found if isinstance(found, list) else [found]
    return [text_of(each) for each in several]


def text_of(value: Any) -> Any:
    """The text of an element that has attributes beside it; any other value as it is."""
    return value[TEXT] if isinstance(value, dict) and TEXT in value else value


def _children(name: str, value: Any) -> list[Any]:
    if isinstance(value, dict):
        child = value.get(name)
        if child is None and name == "0" and name not in value:
            return [value]
        return [] if child is None else [child]
    if isinstance(value, list):
        if name.isdecimal():
            return [value[int(name)]] if len(name) < 10 and int(name) < len(value) else []
        return [child for each in value for child in _children(name, each)]
    return [value] if name == "0" and value is not None else []
