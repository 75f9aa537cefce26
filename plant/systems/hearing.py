"""When a system hears of a customer and of what changes there, and what of it is worth a record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b

from plant.documents import CRM, ERP, Customer
from plant.parameters import FIRST_DAY
from plant.systems.exporting import Delivery
from plant.systems.numbers import Numbering, drawn, share

#: Of the changes that begin elsewhere, those of which nobody tells this system.
_NEVER_HEARD = 0.25
_LONGEST_DAYS = 45


@dataclass(frozen=True, slots=True)
class Heard:
    """A customer as it stands when a system writes it down; ``since``: the day of its first row."""

    customer: Customer
    at: datetime
    since: date


class Hearing:
    """Keeps of each customer how it stands, and a digest of what the system wrote of it last.

    A customer is written on the day on which the system first has to do with it. Of a later change
    the system in which it begins writes on the day; the others hear of it later, each in its own
    time, or never: days of change do not tell who is who.
    """

    def __init__(self, system: str, numbering: Numbering) -> None:
        self._system = system
        self._numbering = numbering
        self._newest: dict[int, Customer] = {}
        self._since: dict[int, date] = {}
        self._agenda: dict[date, dict[int, datetime]] = defaultdict(dict)
        self._written: dict[int, bytes] = {}

    def take(self, customer: Customer, at: datetime) -> None:
        """Note a customer that the system knows, for the day on which it hears of this state."""
        if self._system not in customer.known_in:
            return
        before = self._newest.get(customer.key)
        self._newest[customer.key] = customer
        if before is None:
            self._since[customer.key] = at.date()
        days = 0 if before is None else self._days_until_heard(before, customer, at)
        if days is not None:
            heard_at = at + timedelta(days=days)
            self._agenda[heard_at.date()][customer.key] = heard_at

    def due(self, day: date) -> list[Heard]:
        """The customers to be written on a day, as they stand by now.

        Those of the first morning come in the order of the system's own numbers.
        """
        moments = self._agenda.pop(day, {})
        keys: Iterable[int] = moments
        if day == FIRST_DAY:
            keys = self._numbering.load_customers(self._system, moments)
        return [Heard(self._newest[key], moments[key], self._since[key]) for key in keys]

    def fresh(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those of customers that say something else than what was written of them last."""
        found = []
        for one in deliveries:
            # The last column is the change time.
            digest = blake2b(repr(one.row[:-1]).encode(), digest_size=8).digest()
            if self._written.get(one.key) != digest:
                self._written[one.key] = digest
                found.append(one)
        return found

    def _days_until_heard(self, before: Customer, after: Customer, at: datetime) -> int | None:
        key = f"{self._numbering.seed}/{self._system}/hears/{after.key}/{at.date()}"
        if self._system == self._begun_in(before, after, at):
            return 0
        if share(f"{key}/never") < _NEVER_HEARD:
            return None
        return drawn(f"{key}/days") % (_LONGEST_DAYS + 1)

    def _begun_in(self, before: Customer, after: Customer, at: datetime) -> str | None:
        """The system whose people a change comes from; none for what is news in another one."""
        if before == replace(after, known_in=before.known_in):
            return None
        if before.owner != after.owner:
            return CRM
        if _credit(before) != _credit(after):
            return ERP
        systems = sorted(after.known_in)
        key = f"{self._numbering.seed}/told/{after.key}/{at.date()}"
        return systems[drawn(key) % len(systems)]


def _credit(customer: Customer) -> tuple[object, ...]:
    return (
        customer.credit_limit,
        customer.rating,
        customer.terms,
        customer.blocked,
        customer.archived,
    )
