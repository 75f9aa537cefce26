"""Finds the column that fills a contract field: by its name, if its values can be of the type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.fuzz import ratio

from connectors.drafting.columns import Column
from connectors.mapping.contract import FieldType

_VOCABULARY = Path(__file__).parent / "vocabulary.yaml"
_WORD = re.compile(r"[A-Z]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|\d+|[^\W\da-zA-ZÄÖÜäöüß_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ALIKE = 88
#: Below this a name says too little.
_ENOUGH = 0.55


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What columns are called, what words closed sets use, and what is assumed."""

    noise: frozenset[str]
    fields: Mapping[str, Sequence[str]]
    documents: Mapping[str, Mapping[str, Sequence[str]]]
    words: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
    constants: Mapping[str, Mapping[str, str]]
    lists: Mapping[str, Mapping[str, str]]
    only_if: Mapping[str, str]
    dated: Mapping[str, str]

    def names_of(self, document: str, field: str) -> list[str]:
        """The names that a column of this field may have, its own first."""
        said = self.documents.get(document, {}).get(field) or self.fields.get(field, ())
        return [field.replace("_", " "), *said]

    def meaning(self, document: str, field: str, word: str) -> str | None:
        """The allowed word that a value of a source stands for."""
        wanted = " ".join(words_in(word))
        for allowed, names in self.words.get(document, {}).get(field, {}).items():
            if wanted == allowed.replace("_", " ") or wanted in names:
                return allowed
        return None


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that is shipped."""
    found: dict[str, Any] = yaml.safe_load(_VOCABULARY.read_text(encoding="utf-8"))
    found["noise"] = frozenset(found["noise"])
    return Vocabulary(**found)


@cache
def words_in(name: str) -> tuple[str, ...]:
    """The words of a column's name, in small letters: ``dueDate``, ``due_date`` → due, date."""
    return tuple(word.lower() for word in _WORD.findall(name.replace("_", " ")))


def likeness(column: str, names: Sequence[str]) -> float:
    """How well a column's name fits one of ``names``, from 0 to 1; earlier names fit better."""
    return max(
        (_likeness(column, name) - 0.001 * place for place, name in enumerate(names)), default=0.0
    )


def _likeness(column: str, name: str) -> float:
    found = [word for word in words_in(column) if word not in vocabulary().noise]
    wanted = words_in(name)
    if "".join(found) == "".join(wanted):
        return 1.0
    if _CHINESE.search(name):
        return 0.5 + 0.4 * len(name) / len(column) if name in column else 0.0
    if wanted and set(wanted) <= set(found):
        return 0.5 + 0.4 * len(wanted) / len(found)
    if len(name) > 4 and ratio("".join(found), "".join(wanted)) >= _ALIKE:
        return 0.8
    return 0.0


def kind_of(field: str, wanted: FieldType) -> str:
    """The kind of values that a field takes."""
    if field in ("currency", "base"):
        return "currency"
    return "choice" if wanted.allowed else wanted.kind


def can_hold(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether nearly all values of a column can be of a field's type; an empty one can be all."""
    if not column.values:
        return True
    kind = kind_of(field, wanted)
    if kind == "choice":
        return column.few
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = column.reading(kind)
    if reading is not None:
        return reading.nearly_all
    return not column.instants and (not column.days or column.days == ["%Y%m%d"])


def comes_near(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether some values are of the field's type, but too few to take the column for it."""
    kind = kind_of(field, wanted)
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = column.reading(kind)
    return reading is not None and bool(reading.ways) and not reading.nearly_all


def matched(
    document: str, fields: Mapping[str, FieldType], columns: Sequence[Column]
) -> dict[str, Column]:
    """The columns that fill ``fields``, best names first; each fills one field.

    One that comes near is among them: a person decides, not a column with a poorer name.
    """
    words = vocabulary()
    pairs = sorted(
        (
            (score, -place, name, column)
            for name, wanted in fields.items()
            for place, column in enumerate(columns)
            if (score := likeness(column.name, words.names_of(document, name))) >= _ENOUGH
            and (can_hold(column, name, wanted) or comes_near(column, name, wanted))
        ),
        key=lambda pair: pair[:3],
        reverse=True,
    )
    found: dict[str, Column] = {}
    taken: set[str] = set()
    for _, _, name, column in pairs:
        if name not in found and column.name not in taken:
            found[name] = column
            taken.add(column.name)
    return found
