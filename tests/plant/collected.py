"""Plants of which every record is kept, played once for all tests."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from plant.documents import Document, Invoice, Order, Payment
from plant.parameters import Parameters
from plant.playing import play
from plant.truth import Truth


@dataclass
class Collected:
    """All that a plant recorded."""

    stream: list[tuple[Document, datetime]] = field(default_factory=list)
    newest: dict[type, dict[int, Document]] = field(default_factory=lambda: defaultdict(dict))
    truth: Truth = field(default_factory=Truth)

    def take(self, document: Document, at: datetime) -> None:
        self.stream.append((document, at))
        self.newest[type(document)][document.key] = document

    def end_day(self, day: date) -> None:
        pass


def played(customers: int, months: int, until: date | None = None, seed: int = 7) -> Collected:
    collected = Collected()
    collected.truth = play(Parameters.of(customers, months, seed, until), collected)
    return collected


@cache
def small() -> Collected:
    return played(60, 12)


@cache
def large() -> Collected:
    return played(300, 24)


def invoices(collected: Collected) -> list[Invoice]:
    return [each for each in collected.newest[Invoice].values() if isinstance(each, Invoice)]


def orders(collected: Collected) -> list[Order]:
    return [each for each in collected.newest[Order].values() if isinstance(each, Order)]


def payments(collected: Collected) -> list[Payment]:
    return [each for each in collected.newest[Payment].values() if isinstance(each, Payment)]
