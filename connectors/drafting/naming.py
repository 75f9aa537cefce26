"""What the name of a column says: which field it is called like, and which it cannot be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.fuzz import ratio

_VOCABULARY = Path(__file__).parent / "vocabulary.yaml"
_WORD = re.compile(r"[A-Z]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|\d+|[^\W\da-zA-ZÄÖÜäöüß_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ALIKE = 88
#: Below this a name says too little.
ENOUGH = 0.55
#: From here on the whole name is the one that is looked for.
WHOLE = 0.9
#: With these a name says what is to be paid, and not what was.
_STILL = frozenset({"not", "be"})
_PERCENT = frozenset({"percent", "pct", "percentage", "prozent"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What columns are called, what words closed sets use, and what is assumed."""

    noise: frozenset[str]
    short: Mapping[str, str]
    part: frozenset[str]
    paid: frozenset[str]
    tax: frozenset[str]
    others: frozenset[str]
    whether: frozenset[str]
    whole: frozenset[str]
    undecided: frozenset[str]
    ended_on: Mapping[str, Sequence[str]]
    party: Sequence[str]
    before: Mapping[str, Sequence[str]]
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

    def is_undecided(self, word: str) -> bool:
        """Whether a value says of an opportunity that it is neither won nor lost, and no more."""
        return " ".join(words_in(word)) in self.undecided


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that is shipped."""
    found: dict[str, Any] = yaml.safe_load(_VOCABULARY.read_text(encoding="utf-8"))
    for name in ("noise", "part", "paid", "tax", "others", "whether", "whole", "undecided"):
        found[name] = frozenset(found[name])
    return Vocabulary(**found)


@cache
def words_in(name: str) -> tuple[str, ...]:
    """The words of a column's name, in small letters and whole: ``dueDt`` → due, date."""
    words = (word.lower() for word in _WORD.findall(name.replace("_", " ")))
    return tuple(vocabulary().short.get(word, word) for word in words)


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
    if name in vocabulary().whole and any(not word.isdigit() for word in found if word != name):
        return 0.0
    if _CHINESE.search(name):
        return 0.5 + 0.4 * len(name) / len(column) if name in column else 0.0
    if wanted and set(wanted) <= set(found):
        return 0.5 + 0.4 * len(wanted) / len(found)
    if len(name) > 4 and ratio("".join(found), "".join(wanted)) >= _ALIKE:
        return 0.8
    return 0.0


def is_party(name: str) -> bool:
    """Whether a whole name is one of those of the other side."""
    return likeness(name, vocabulary().party) > WHOLE


def without_document(name: str, document: str) -> str:
    """A column's name without the document's own before it: ``Deal - Title`` → title."""
    first, *rest = words_in(name) or ("",)
    if rest and first in vocabulary().before.get(document, ()):
        return " ".join(rest)
    return name


def names_another(column: str) -> bool:
    """Whether a column is named as those of a document of a customer, such as ``Deal Name``."""
    names = words_in(column)
    befores = {word for words in vocabulary().before.values() for word in words}
    if len(names) > 1 and names[0] in befores:
        return True
    return any(
        likeness(column, vocabulary().documents[document]["id"]) > WHOLE
        for document in ("opportunity", "order", "invoice", "payment")
    )


def names_customer(column: str) -> bool:
    """Whether a column is named as the key of customers."""
    names = vocabulary().documents["customer"]["id"]
    return is_party(column) or likeness(column, names) >= ENOUGH


def says_part(column: str, paid: bool = False) -> bool:
    """Whether a column is named as what is left of an amount or, unless ``paid``, what was paid."""
    if says_paid(column):
        return not paid
    return _says(vocabulary().part, column)


def says_paid(column: str) -> bool:
    """Whether a column is named as what was paid of an amount."""
    return _says(vocabulary().paid, column) and _STILL.isdisjoint(words_in(column))


def says_tax(column: str) -> bool:
    """Whether a column is named as the tax on an amount, and not as one with or without it."""
    return _says(vocabulary().tax, column) and not _says(vocabulary().whether, column)


def says_beside(column: str) -> bool:
    """Whether a column is named as no amount of the document: tax, discount, quantity …"""
    other = _says(vocabulary().others, column) and not _says(vocabulary().whether, column)
    return other or says_tax(column)


def names_percent(column: str) -> bool:
    """Whether a column is named as one of percent."""
    return "%" in column or not _PERCENT.isdisjoint(words_in(column))


def _says(wanted: Collection[str], column: str) -> bool:
    """Whether a name has one of these words; Chinese, which sets no spaces, within another."""
    words = words_in(column)
    return any(
        any(one in word for word in words) if _CHINESE.search(one) else one in words
        for one in wanted
    )
