"""The CRM: exports each version of each record as JSON, with change times in UTC."""

from __future__ import annotations

from datetime import date, datetime

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
from plant.systems.hearing import Heard, Hearing
from plant.systems.numbers import Numbering
from plant.systems.telling import Told

_KNOWN = (Contact, Employee, Lead, Opportunity, Target, Visit)


class Crm:
    """Listens to the plant."""

    def __init__(self, exporter: Exporter, numbering: Numbering, told: Told) -> None:
        self._exporter = exporter
        self._numbering = numbering
        self._contradicting = Contradicting(numbering, told)
        self._hearing = Hearing(CRM, numbering)
        self._today: list[tuple[Document, datetime]] = []

    def take(self, document: Document, at: datetime) -> None:
        """Keep every version until the night."""
        if isinstance(document, Order) and document.opportunity is not None:
            self._contradicting.ordered(document.opportunity)
        if isinstance(document, Opportunity):
            self._contradicting.see(document, at.date())
        if isinstance(document, Customer):
            self._hearing.take(document, at)
        elif isinstance(document, _KNOWN) and not (
            isinstance(document, Employee) and document.is_technician
        ):
            self._today.append((document, at))

    def end_day(self, day: date) -> None:
        """Export what was changed today."""
        self._exporter.begin_day(day)
        accounts = [self._account(heard) for heard in self._hearing.due(day)]
        # What was loaded on the first morning has no order that would tell anything.
        taken = sorted(self._today, key=_kind) if day == FIRST_DAY else self._today
        deliveries = self._hearing.fresh(accounts)
        deliveries += [self._record(document, at) for document, at in taken]
        self._exporter.deliver(deliveries)
        self._contradicting.end_day(day)
        self._today = []

    def _account(self, heard: Heard) -> Delivery:
        said = self._contradicting.heard(heard.customer, heard.at.date())
        return records.account(heard, self._numbering, said)

    def _record(self, document: Document, at: datetime) -> Delivery:
        numbering = self._numbering
        match document:
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


def _kind(taken: tuple[Document, datetime]) -> str:
    return type(taken[0]).__name__
