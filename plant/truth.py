"""What is really so, told by the world as it happens; no system of the plant has it.

Documents are named by (type, key), the type as the hub calls it. How each system numbers them is
added when the truth is written beside the exports.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Named = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """An instalment that was not paid when it was due, and the one reason why."""

    invoice: int
    instalment: int
    customer: int
    due_on: date
    paid_on: date | None
    """When it was paid, credited, cancelled or written off; None where that was not by the end."""
    cause: str
    """quality, delivery, after_sales, credit, sales_management or other (DOMAIN.md section 5)."""
    evidence: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class LostCustomer:
    """A customer that ordered no more from a day on."""

    customer: int
    on: date
    why: str


@dataclass(frozen=True, slots=True)
class Story:
    """Something worth telling, with its documents in the order in which it is told."""

    kind: str
    """late_payment, sale or lost_customer."""
    title: str
    told: tuple[tuple[Named, str], ...]
    """(document, sentence)."""


@dataclass(slots=True)
class Truth:
    """The world's own knowledge of itself."""

    late: dict[tuple[int, int], LateInvoice] = field(default_factory=dict)
    """By (invoice, instalment): entered on the day after the due date, replaced when paid."""
    lost: dict[int, LostCustomer] = field(default_factory=dict)
    """By customer; entered on the day itself."""
    payers: dict[int, str] = field(default_factory=dict)
    """By customer: prompt, sloppy, disputing or failing."""
    demanded: dict[tuple[int, int, int], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    """Units that customers really wanted, by (product, year, month) of the day they wanted them,
    whether they were ordered in the end or not."""
    forged: list[tuple[int, str, int]] = field(default_factory=list)
    """(equipment, serial number of the forged part, service visit that built it in)."""
    unpiped: list[int] = field(default_factory=list)
    """Orders for machines that no opportunity ever announced."""
    announced: dict[int, int] = field(default_factory=dict)
    """By order: the opportunity that it came from, whether the order names it or not."""
    hopeful: set[int] = field(default_factory=set)
    """Employees whose own probabilities are too high."""
    stories: list[Story] = field(default_factory=list)
    """Candidates of each kind; those of which a document never leaves its system are not told."""
