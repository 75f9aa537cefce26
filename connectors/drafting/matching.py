"""Finds the column that fills a contract field: by its name, if its values can be of the type."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.fuzz import ratio

from connectors.drafting.columns import Column
from connectors.mapping.contract import FieldType, contract_of

_VOCABULARY = Path(__file__).parent / "vocabulary.yaml"
_WORD = re.compile(r"[A-Z]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|\d+|[^\W\da-zA-ZÄÖÜäöüß_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ALIKE = 88
#: Below this a name says too little.
_ENOUGH = 0.55
#: From here on the whole name is the one that is looked for.
_WHOLE = 0.9
_AMOUNTS = frozenset({"net", "gross", "net_amount", "gross_amount", "amount"})
#: Parts of 1, which sources write as percent too.
SHARES = frozenset({"probability"})
#: With these a name says what is to be paid, and not what was.
_STILL = frozenset({"not", "be"})
_PERCENT = frozenset({"percent", "pct", "percentage", "prozent"})
#: A code of a company has no more signs than this.
_LONGEST_CODE = 8


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


def kind_of(field: str, wanted: FieldType) -> str:
    """The kind of values that a field takes."""
    if field in ("currency", "base"):
        return "currency"
    return "choice" if wanted.allowed else wanted.kind


def read_as(column: Column, field: str, wanted: FieldType) -> Column:
    """The column as a field reads it: of numbers with a sign that fits the field, the numbers."""
    fits = wanted.kind == "decimal" and (column.sign == "%") == (field in SHARES)
    return column.bare if fits else column


def can_hold(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether nearly all values of a column can be of a field's type; an empty one can be all."""
    if not column.values:
        return True
    kind = kind_of(field, wanted)
    if kind == "choice":
        return column.few
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = read_as(column, field, wanted).reading(kind)
    if reading is not None:
        return reading.nearly_all
    return not column.instants and (not column.days or column.days == ["%Y%m%d"])


def comes_near(column: Column, field: str, wanted: FieldType) -> bool:
    """Whether some values are of the field's type, but too few to take the column for it."""
    kind = kind_of(field, wanted)
    if kind in ("decimal", "integer") and column.days:
        return False
    reading = read_as(column, field, wanted).reading(kind)
    return reading is not None and bool(reading.ways) and not reading.nearly_all


def matched(
    document: str, fields: Mapping[str, FieldType], columns: Sequence[Column]
) -> dict[str, Column]:
    """The columns that fill ``fields``, best names first; each fills one field.

    One that comes near is among them: a person decides, not a column with a poorer name.
    """
    pairs = sorted(
        (
            (score, -place, name, column)
            for name, wanted in fields.items()
            for place, column in enumerate(columns)
            if (score := _score(document, name, column, columns)) >= _ENOUGH
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


def fitting(
    document: str, field: str, wanted: FieldType, columns: Sequence[Column]
) -> list[Column]:
    """The columns that may fill a field, best names first."""
    scores = {column.name: _score(document, field, column, columns) for column in columns}
    fits = [one for one in columns if scores[one.name] >= _ENOUGH and can_hold(one, field, wanted)]
    return sorted(fits, key=lambda one: -scores[one.name])


def _score(document: str, field: str, column: Column, columns: Sequence[Column]) -> float:
    """How well the name of a column fits a field of a document, seen beside the other columns."""
    names = vocabulary().names_of(document, field)
    own = without_document(column.name, document)
    others = _parties(document)
    if field in _AMOUNTS and not _may_be_amount(column, document):
        return 0.0
    if (document, field) == ("payment", "amount") and says_paid(column.name):
        # The amount of the invoice beside it is called so too.
        return 1.0
    if field == "company" and others:
        if not _is_party(own):
            return likeness(column.name, names)
        codes = _like_codes(column) and _another_party(document, column, columns)
        return likeness(own, names) if codes else 0.0
    best = max(likeness(column.name, names), likeness(own, names) - 0.01)
    if field in others and _is_party(own):
        # Any other name of the other side goes before this one.
        return max(best, _WHOLE)
    return best


def _may_be_amount(column: Column, document: str) -> bool:
    """Whether a name does not say another amount, or percent."""
    paid = document == "payment"
    if says_part(column.name, paid) or says_beside(column.name) or says_percent(column):
        return False
    flags = says_paid(column.name) and set(column.distinct) <= {"0", "1"}
    return not (paid and flags and column.values)


def _parties(document: str) -> tuple[str, ...]:
    """The fields of a document that say who the other side is."""
    if document == "customer":
        return ("id", "name")
    return tuple(name for name in ("customer", "organisation") if name in contract_of(document))


def _is_party(name: str) -> bool:
    return likeness(name, vocabulary().party) > _WHOLE


def _like_codes(column: Column) -> bool:
    """Whether the values are short, few and repeated, as the codes of our own companies are."""
    short = all(len(value) <= _LONGEST_CODE for value in column.distinct)
    return short and column.few and not column.wordy and len(column.distinct) < len(column.values)


def _another_party(document: str, column: Column, columns: Sequence[Column]) -> bool:
    """Whether another column gives the other side of the document."""
    return any(
        likeness(other.name, vocabulary().names_of(document, field)) > _WHOLE
        for field in _parties(document)
        for other in columns
        if other.name != column.name
    )


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
        likeness(column, vocabulary().documents[document]["id"]) > _WHOLE
        for document in ("opportunity", "order", "invoice", "payment")
    )


def names_customer(column: str) -> bool:
    """Whether a column is named as the key of customers."""
    names = vocabulary().documents["customer"]["id"]
    return _is_party(column) or likeness(column, names) >= _ENOUGH


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


def says_percent(column: Column) -> bool:
    """Whether the sign or the name of a column says percent."""
    named = "%" in column.name or not _PERCENT.isdisjoint(words_in(column.name))
    return column.sign == "%" or named


def _says(wanted: Collection[str], column: str) -> bool:
    """Whether a name has one of these words; Chinese, which sets no spaces, within another."""
    words = words_in(column)
    return any(
        any(one in word for word in words) if _CHINESE.search(one) else one in words
        for one in wanted
    )
