"""Compares what the hub holds of a source with what the source states, down to the document; pure.

A source states totals (count and sum for a period and currency), or its documents one by one, of
which the totals of their months follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.errors import SourceError

_OVER_LINES = "net_amount"
#: By type of document: its date and amount (of an order that of its lines together); types without
#: an amount are counted only.
MEASURED: Mapping[str, tuple[str, str | None]] = {
    "invoice": ("invoiced_on", "gross"),
    "payment": ("received_on", "amount"),
    "order": ("ordered_on", _OVER_LINES),
    "opportunity": ("opened_on", "amount"),
}
_TOTAL = frozenset({"document", "period", "count"})
_SINGLE = frozenset({"document", "id"})
_KNOWN = _TOTAL | _SINGLE | {"currency", "sum", "date", "amount"}
_AMOUNTS = frozenset({"currency", "sum", "amount"})
_MONTH = 7
#: No currency of ISO 4217 has more digits after the point.
_MOST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A document as it counts: ``day`` and ``amount`` are None where it has none."""

    document: str
    id: str
    day: date | None
    currency: str | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Total:
    """What a source states of a period: a year, month or day as ISO 8601 writes it."""

    document: str
    period: str
    currency: str | None
    count: int
    sum: Decimal | None


@dataclass(frozen=True, slots=True)
class Stated:
    """All that a source states: totals, or documents one by one."""

    totals: tuple[Total, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One stated total against the hub: ``stated`` and ``held`` are (count, sum)."""

    document: str
    period: str
    currency: str | None
    stated: tuple[int, Decimal | None]
    held: tuple[int, Decimal | None]

    @property
    def agrees(self) -> bool:
        """Whether count and, where it is stated, sum are the same."""
        return self.stated[0] == self.held[0] and self.stated[1] in (None, self.held[1])


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that differs: ``missing`` in the hub, ``extra`` there, or ``different``.

    ``by`` is the amount of the hub less that of the source. ``unnamed`` is a document of the hub
    in a total that differs, where the source does not say which documents it counted.
    """

    kind: str
    document: str
    id: str
    stated: Item | None
    held: Item | None

    @property
    def by(self) -> Decimal | None:
        """How much the hub has more than the source; None where there are no amounts."""
        amounts = [one.amount for one in (self.held, self.stated) if one is not None]
        if None in amounts:
            return None
        held = self.held.amount if self.held and self.held.amount else Decimal(0)
        stated = self.stated.amount if self.stated and self.stated.amount else Decimal(0)
        return held - stated


@dataclass(slots=True)
class Reconciliation:
    """What was compared, and the documents by which it differs."""

    totals: list[Comparison] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the hub has what the source states, and nothing else."""
        return not self.differences and all(one.agrees for one in self.totals)


def item_of(document: str, body: Mapping[str, Any]) -> Item:
    """A document of the hub as it counts; a date and an amount only where its type has them."""
    day_field, amount_field = MEASURED.get(document, ("occurred_at", None))
    found = body.get(day_field)
    day = found.date() if isinstance(found, datetime) else found
    amount = None
    if amount_field == _OVER_LINES:
        amount = _net_of(body["lines"])
    elif amount_field is not None:
        amount = body.get(amount_field)
    currency = None if amount is None else body.get("currency")
    return Item(document, str(body["id"]), day, currency, amount)


def read_stated(rows: Sequence[Mapping[str, Any]], where: str) -> Stated:
    """What the rows of a file or a query state.

    Args:
        rows: with ``document, period, count`` and perhaps ``currency, sum``; or with ``document,
            id`` and perhaps ``date, currency, amount``.
        where: they come from, for messages.

    Raises:
        SourceError: a row is neither, or a value is none of its kind.
    """
    totals, items = [], []
    for number, row in enumerate(rows, 1):
        filled = {str(name): value for name, value in row.items() if value not in (None, "")}
        place = f"{where}, row {number}"
        _refuse_amounts(filled, place)
        if unknown := filled.keys() - _KNOWN:
            raise SourceError(
                f"{place}: unknown column {', '.join(sorted(unknown))}; allowed:"
                f" {', '.join(sorted(_KNOWN))}"
            )
        currency = None if "currency" not in filled else str(filled["currency"])
        if filled.keys() >= _SINGLE:
            day = None if "date" not in filled else _day(filled["date"], place)
            amount = None if "amount" not in filled else _decimal(filled["amount"], place)
            items.append(Item(str(filled["document"]), str(filled["id"]), day, currency, amount))
        elif filled.keys() >= _TOTAL:
            total = None if "sum" not in filled else _decimal(filled["sum"], place)
            count = int(_decimal(filled["count"], place))
            period = str(filled["period"])
            totals.append(Total(str(filled["document"]), period, currency, count, total))
        else:
            raise SourceError(
                f"{place}: needs document, period and count (a total), or document and id (one"
                " document)"
            )
    if not totals and not items:
        raise SourceError(f"{where} states nothing")
    return Stated(tuple(totals), tuple(items))


def reconcile(stated: Stated, held: Iterable[Item]) -> Reconciliation:
    """Compare.

    Args:
        stated: by the source. Where it names documents of a type, these are all of that type in
            the months in which it names one (all there are, where it states no dates).
        held: the documents of the source that the hub holds, those deleted or cancelled left out.
    """
    found = Reconciliation()
    by_type: dict[str, list[Item]] = defaultdict(list)
    for item in held:
        by_type[item.document].append(item)
    for total in stated.totals:
        within = [one for one in by_type[total.document] if _is_of(one, total)]
        comparison = Comparison(
            total.document,
            total.period,
            total.currency,
            (total.count, total.sum),
            _sum(within, total.sum is not None),
        )
        found.totals.append(comparison)
        named = any(one.document == total.document for one in stated.items)
        if not comparison.agrees and not named:
            found.differences += [
                Difference("unnamed", one.document, one.id, None, one) for one in within
            ]
    for document in sorted({item.document for item in stated.items}):
        named_items = [item for item in stated.items if item.document == document]
        _by_document(found, document, named_items, by_type[document])
    return found


def _refuse_amounts(filled: Mapping[str, Any], place: str) -> None:
    """Raise SourceError where amounts are stated of documents that have none."""
    stated = sorted(filled.keys() & _AMOUNTS)
    with_amount = [document for document, (_, amount) in MEASURED.items() if amount is not None]
    document = str(filled.get("document", ""))
    if stated and document and document not in with_amount:
        raise SourceError(
            f"{place}: documents of the type {document} have no amount: leave {', '.join(stated)}"
            f" empty; it can be stated of {', '.join(with_amount)}"
        )


def _net_of(lines: Sequence[Mapping[str, Any]]) -> Decimal:
    """Of an order; a rejected line counts in no sum."""
    return sum((line[_OVER_LINES] for line in lines if not line["rejected"]), Decimal(0))


def _by_document(
    found: Reconciliation, document: str, stated: list[Item], held: list[Item]
) -> None:
    months = {_month(item) for item in stated}
    there = {item.id: item for item in held}
    wanted = {item.id: item for item in stated}
    for key, item in wanted.items():
        other = there.get(key)
        if other is None:
            found.differences.append(Difference("missing", document, key, item, None))
        elif _differs(item, other):
            found.differences.append(Difference("different", document, key, item, other))
    known = [item for item in held if None in months or _month(item) in months]
    found.differences += [
        Difference("extra", document, item.id, None, item)
        for item in known
        if item.id not in wanted
    ]
    for period, currency in sorted({_group(one) for one in [*stated, *known]}):
        mine = [one for one in stated if _group(one) == (period, currency)]
        ours = [one for one in known if _group(one) == (period, currency)]
        amounts = any(one.amount is not None for one in mine)
        comparison = Comparison(
            document, period, currency or None, _sum(mine, amounts), _sum(ours, amounts)
        )
        found.totals.append(comparison)


def _group(item: Item) -> tuple[str, str]:
    return _month(item) or "all", item.currency or ""


def _differs(stated: Item, held: Item) -> bool:
    """Whether something that the source states is another thing in the hub."""
    pairs = (
        (stated.day, held.day),
        (stated.currency, held.currency),
        (stated.amount, held.amount),
    )
    return any(one is not None and one != other for one, other in pairs)


def _is_of(item: Item, total: Total) -> bool:
    in_period = item.day is not None and item.day.isoformat().startswith(total.period)
    return (in_period or total.period == "all") and total.currency in (None, item.currency)


def _month(item: Item) -> str | None:
    return None if item.day is None else item.day.isoformat()[:_MONTH]


def _sum(items: Sequence[Item], amounts: bool) -> tuple[int, Decimal | None]:
    total = sum((one.amount or Decimal(0) for one in items), Decimal(0)) if amounts else None
    return len(items), total


def _decimal(found: Any, place: str) -> Decimal:
    if isinstance(found, float):
        # A database that adds in binary says 0.30000000000000004 of 0.10 and 0.20.
        found = round(found, _MOST_DIGITS)
    try:
        number = Decimal(str(found))
    except InvalidOperation as error:
        raise SourceError(f"{place}: {found!r} is no decimal number such as 1234.50") from error
    if not number.is_finite():
        raise SourceError(f"{place}: {found!r} is no decimal number such as 1234.50")
    return number


def _day(found: Any, place: str) -> date:
    if isinstance(found, date):
        return date(found.year, found.month, found.day)
    try:
        return date.fromisoformat(str(found)[:10])
    except ValueError as error:
        raise SourceError(f"{place}: {found!r} is no date such as 2026-01-31") from error
