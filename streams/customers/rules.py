"""Customers as pure rules: who is one and the same, what they are worth, where they stand.

Definitions: DOMAIN §3. Built so far: links by cross-reference and by tax id, revenue and tier,
and of the lifecycle what orders alone tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

from stdnum.cn import uscc

from schemas.keys import reference_key

ZERO = Decimal(0)

CROSS_REFERENCE = "cross_reference"
TAX_ID = "tax_id"

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Record:
    """A customer record of one system, as identity needs it; ``key`` is ``source|id``."""

    key: str
    tax_id: str | None
    same_as: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Two records held to be the same, or refused to be, with the rule and its evidence."""

    left: str
    right: str
    rule: str
    evidence: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Who is one customer: for each key the smallest key of its group; and the links behind it."""

    smallest: Mapping[str, str]
    links: tuple[Link, ...]


def record_of(key: str, document: Mapping[str, Any]) -> Record:
    """Read what identity needs of a customer document."""
    same_as = {reference_key(one) for one in document["same_as"]} - {key}
    return Record(key, valid_tax_id(document["tax_id"]), tuple(sorted(same_as)))


def valid_tax_id(stated: str | None) -> str | None:
    """Return the tax id in one spelling, or None where it is no evidence of anything.

    Placeholders (one character repeated, too short, no digit) are none; what has the form of
    China's 18-character unified social credit code must have its check digit right.
    """
    if stated is None:
        return None
    plain = _NOT_ALPHANUMERIC.sub("", stated.upper())
    if len(plain) < 5 or len(set(plain)) < 3 or not any(map(str.isdigit, plain)):
        return None
    if len(plain) == 18 and not uscc.is_valid(plain):
        return None
    return plain


def group_records(records: Iterable[Record], keys: Collection[str] = ()) -> Groups:
    """Group records, and ``keys`` that are only named, into customers.

    Links are taken in the order (rule, keys), so the groups do not depend on the order of arrival.
    One that would join two different valid tax ids is refused.
    """
    by_key = {record.key: record for record in records}
    nodes = set(by_key) | set(keys)
    for record in by_key.values():
        nodes.update(record.same_as)
    root = {key: key for key in nodes}
    tax_ids = {key: {r.tax_id} if (r := by_key.get(key)) and r.tax_id else set() for key in nodes}

    def find(key: str) -> str:
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    taken = []
    for rule, left, right, evidence in _candidates(by_key):
        a, b = find(left), find(right)
        refused = None
        if a != b:
            joined = tax_ids[a] | tax_ids[b]
            if len(joined) > 1:
                refused = f"different tax ids: {', '.join(sorted(joined))}"
            else:
                low, high = min(a, b), max(a, b)
                root[high] = low
                tax_ids[low] = joined
        taken.append(Link(left, right, rule, evidence, refused))
    return Groups({key: find(key) for key in nodes}, tuple(taken))


def _candidates(by_key: Mapping[str, Record]) -> list[tuple[str, str, str, str]]:
    """Return (rule, smaller key, larger key, evidence) of each possible link, in rule order."""
    references = {
        (CROSS_REFERENCE, min(record.key, other), max(record.key, other), record.key)
        for record in by_key.values()
        for other in record.same_as
    }
    by_tax_id: dict[str, list[str]] = {}
    for key in sorted(by_key):
        tax_id = by_key[key].tax_id
        if tax_id:
            by_tax_id.setdefault(tax_id, []).append(key)
    equal = [
        (TAX_ID, keys[0], other, tax_id)
        for tax_id, keys in sorted(by_tax_id.items())
        for other in keys[1:]
    ]
    seen: set[tuple[str, str]] = set()
    ordered = []
    for rule, left, right, evidence in sorted(references):
        if (left, right) not in seen:
            seen.add((left, right))
            ordered.append((rule, left, right, f"stated by {evidence}"))
    return ordered + sorted(equal, key=lambda link: (link[1], link[2]))


@dataclass(frozen=True, slots=True)
class Billed:
    """An invoice document as revenue needs it; ``net`` in base currency, None where unknown."""

    key: str
    kind: str
    customer_key: str
    on: date
    net: Decimal | None
    cancels: str | None


def revenue_by_customer(billed: Iterable[Billed], since: date, until: date) -> dict[str, Decimal]:
    """Return each customer's invoiced net of credit notes, ``since`` < invoice date ≤ ``until``.

    A cancellation takes back the whole net of the invoice that it cancels, once, on its own date
    but not before the invoice's.
    """
    documents = list(billed)
    invoices = {one.key: one for one in documents if one.kind == "invoice"}
    cancelled_on: dict[str, date] = {}
    revenue: dict[str, Decimal] = {}

    def count(customer_key: str, on: date, amount: Decimal | None) -> None:
        if amount is not None and since < on <= until:
            revenue[customer_key] = revenue.get(customer_key, ZERO) + amount

    for one in documents:
        if one.kind == "invoice":
            count(one.customer_key, one.on, one.net)
        elif one.kind == "credit_note" and one.net is not None:
            count(one.customer_key, one.on, -one.net)
        elif one.cancels in invoices:
            on = max(one.on, invoices[one.cancels].on)
            cancelled_on[one.cancels] = min(on, cancelled_on.get(one.cancels, on))
    for key, on in cancelled_on.items():
        invoice = invoices[key]
        if invoice.net is not None:
            count(invoice.customer_key, on, -invoice.net)
    return revenue


def months_before(day: date, months: int) -> date:
    """Return the same day ``months`` earlier, clamped to the month's end."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def tiers(
    revenue: Mapping[str, Decimal], *, vip: Decimal, large: Decimal, medium: Decimal
) -> dict[str, str]:
    """Return the pyramid over customers with revenue above zero, by rank (ties by id)."""
    ranked = sorted(
        (key for key, amount in revenue.items() if amount > 0),
        key=lambda key: (-revenue[key], key),
    )
    limits = [
        (name, math.ceil(share * len(ranked)))
        for name, share in (("vip", vip), ("large", large), ("medium", medium))
    ]
    return {
        key: next((name for name, limit in limits if rank <= limit), "small")
        for rank, key in enumerate(ranked, 1)
    }


@dataclass(frozen=True, slots=True)
class Buying:
    """BG/NBD's parameters (Fader, Hardie, Lee 2005); starting values of DOMAIN §3, in weeks."""

    r: float = 0.242593
    alpha: float = 4.413532
    a: float = 0.792886
    b: float = 2.425752


def chance_alive(repeats: int, recency_weeks: float, age_weeks: float, buying: Buying) -> float:
    """Return P(alive) by BG/NBD for ``repeats`` repeat order days; 1 where there are none."""
    if repeats == 0:
        return 1.0
    odds = (
        buying.a
        / (buying.b + repeats - 1)
        * math.pow((buying.alpha + age_weeks) / (buying.alpha + recency_weeks), buying.r + repeats)
    )
    return 1.0 / (1.0 + odds)


def usual_gap(order_days: Sequence[date]) -> float | None:
    """Return the median days between order days (ascending); None with fewer than three."""
    if len(order_days) < 3:
        return None
    return float(median((b - a).days for a, b in pairwise(order_days)))


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The parameters of the lifecycle (DOMAIN §3)."""

    new_months: int
    churned_factor: float
    churned_days: int
    at_risk_chance: float
    at_risk_factor: float


def lifecycle(
    order_days: Sequence[date],
    as_of: date,
    gap_of_tier: float | None,
    policy: LifecyclePolicy,
    buying: Buying,
) -> str:
    """Return the first state that fits: prospect, churned, at_risk, new, existing.

    ``order_days`` ascend, up to ``as_of``; ``gap_of_tier`` stands in for a customer's own usual
    gap where it has fewer than three order days.
    """
    if not order_days:
        return "prospect"
    gap = usual_gap(order_days)
    if gap is None:
        gap = gap_of_tier
    silent = (as_of - order_days[-1]).days
    limit: float = policy.churned_days
    if gap is not None:
        limit = max(limit, policy.churned_factor * gap)
    if silent > limit:
        return "churned"
    first = order_days[0]
    alive = chance_alive(
        len(order_days) - 1, (order_days[-1] - first).days / 7, (as_of - first).days / 7, buying
    )
    if alive < policy.at_risk_chance or (gap is not None and silent > policy.at_risk_factor * gap):
        return "at_risk"
    if first > months_before(as_of, policy.new_months):
        return "new"
    return "existing"
