"""The CRM: exports each version of each record as JSON, with change times in UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from plant.documents import (
    CRM,
    Contact,
    Customer,
    Document,
    Employee,
    Lead,
    Opportunity,
    Order,
    Target,
    Visit,
)
from plant.parameters import FIRST_DAY
from plant.systems import crm_records as records
from plant.systems.crm_contradictions import Contradicting
from plant.systems.exporting import Delivery, Exporter
from plant.systems.numbers import Numbering
from plant.systems.telling import Told

_KNOWN = (Contact, Employee, Lead, Opportunity, Target, Visit)


class Crm:
    """Listens to the plant."""

    def __init__(self, exporter: Exporter, numbering: Numbering, told: Told) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._contradicting = Contradicting(numbering, told)
        self._today: list[tuple[Document, datetime]] = []
        self._first: set[int] = set()

    def take(self, document: Document, at: datetime) -> None:
        """Keep every version until the night."""
        if isinstance(document, Order) and document.opportunity is not None:
            self._contradicting.ordered(document.opportunity)
        if isinstance(document, Opportunity):
            self._contradicting.see(document, at.date())
        if isinstance(document, Customer):
            if CRM in document.known_in:
                self._today.append((document, at))
        elif isinstance(document, _KNOWN) and not (
            isinstance(document, Employee) and document.is_technician
        ):
            self._today.append((document, at))

    def end_day(self, day: date) -> None:
        """Export what was changed today."""
        self._exporter.begin_day(day)
        if day == FIRST_DAY:
            self._first = {each.key for each, _ in self._today if isinstance(each, Customer)}
        # What was loaded on the first morning has no order that would tell anything.
        taken = sorted(self._today, key=self._place) if day == FIRST_DAY else self._today
        self._exporter.deliver([self._record(document, at) for document, at in taken])
        self._contradicting.end_day(day)
        self._today = []

    def _place(self, taken: tuple[Document, datetime]) -> tuple[str, str]:
        document, _ = taken
        kind = type(document).__name__
        if isinstance(document, Customer):
            return kind, self._numbering.customer(CRM, document.key)
        return kind, ""

    def _record(self, document: Document, at: datetime) -> Delivery:
        numbering = self._numbering
        match document:
            case Customer():
                heard: dict[str, Any] = self._contradicting.heard(document, at.date())
                first = document.key in self._first
                return records.account(document, numbering, at, first, heard)
            case Contact():
                return records.contact(document, numbering, at)
            case Employee():
                return records.user(document, numbering, at)
            case Lead():
                return records.lead(document, numbering, at)
            case Opportunity():
                return records.opportunity(document, numbering, at)
            case Visit():
                return records.event(document, numbering, at)
            case Target():
                return records.target(document, numbering)
        raise AssertionError(f"{type(document).__name__} is not taken")

    def finish(self, day: date) -> None:
        """Tell which opportunities were won and never ordered."""
        self._contradicting.finish(day)
