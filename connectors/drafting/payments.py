"""Drafts what was paid of an invoice that stands in the same row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.drafting.columns import Column
from connectors.drafting.naming import likeness, says_paid, says_part, vocabulary
from connectors.drafting.phrasing import Phrase, field_of, left_open
from connectors.drafting.sheet import Sheet
from connectors.mapping.contract import contract_of
from connectors.mapping.yaml_text import TODO

#: How well a name must fit to be that of a due date.
_SURE = 0.9
_NO_COLUMN = "no column says how much was paid: taken as paid in full"


def paying(sheet: Sheet, found: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of a payment; what is paid of an invoice that the row makes is its amount."""
    amount = found.get("amount")
    if sheet.total is None or (amount is not None and says_paid(amount.name)):
        return dict(found)
    return {**found, "amount": sheet.total}


def amount_paid(sheet: Sheet, amount: Column, received: Column | None) -> Phrase:
    """The amount of the payment that a row makes, which may be a part of its invoice's.

    Args:
        sheet: of payments.
        amount: the column that is called most like the amount of a payment.
        received: the column of the day on which it came, if there is one.
    """
    wanted = contract_of("payment")["amount"]
    whole = sheet.write("payment", "amount", wanted, amount)
    if says_paid(amount.name) or not _are_invoices(sheet):
        return whole
    rests = _rests(sheet.columns)
    if not rests:
        return whole.adding(_NO_COLUMN)
    if len(rests) > 1:
        return left_open(f"which says what is still to be paid: {_listed(rests)}?")
    (rest,) = rests
    doubt = _doubt(amount, rest, received)
    if doubt:
        return left_open(f"{whole.text}, or less {field_of(rest)}? {doubt}")
    left = sheet.write("payment", "amount", wanted, rest)
    if TODO in (whole.text, left.text):
        return left_open(
            f"{field_of(amount)} less {field_of(rest)}; {whole.comment or left.comment}"
        )
    text = left.text if rest.filled else f"{{default: {left.text}, to: 0}}"
    made = Phrase(f"{{subtract: [{whole.text}, {text}]}}", whole.comment).adding(left.comment)
    made = made.adding("what is paid so far, as one payment")
    return made if rest.filled else made.adding(f"an empty {field_of(rest)} is taken as 0")


def without_day(sheet: Sheet, found: Mapping[str, Column]) -> str:
    """Which rows say that something was paid but not when, in words; empty where none does."""
    amount, received = found.get("amount"), found.get("received_on")
    if amount is None or received is None or not _are_invoices(sheet):
        return ""
    paid = amount.amounts
    if not says_paid(amount.name):
        rests = _rests(sheet.columns)
        if len(rests) != 1 or _doubt(amount, rests[0], received):
            return ""
        paid = tuple(
            None if one is None or rest is None else one - rest
            for one, rest in zip(paid, rests[0].amounts, strict=True)
        )
    rows = [place for place, one in enumerate(paid) if one and not received.cells[place]]
    if not rows:
        return ""
    verb = "says" if len(rows) == 1 else "say"
    noun = "record" if len(rows) == 1 else "records"
    return (
        f"{len(rows)} {noun} ({received.place(rows[0])}) {verb} that something was paid but not"
        " when: no payment"
    )


def _are_invoices(sheet: Sheet) -> bool:
    """Whether the rows are invoices with what was paid of them, and not payments alone."""
    names = vocabulary().names_of("invoice", "due_on")
    return sheet.invoice is not None or any(
        likeness(one.name, names) > _SURE for one in sheet.columns
    )


def _rests(columns: Sequence[Column]) -> list[Column]:
    """The columns that say what is still to be paid."""
    return [one for one in columns if says_part(one.name, paid=True) and one.bare.numbers]


def _doubt(amount: Column, rest: Column, received: Column | None) -> str:
    """The first paid row in which a rest is no part of the amount, in words; empty if none."""
    for place, (whole, left) in enumerate(zip(amount.amounts, rest.amounts, strict=True)):
        if whole is None or left is None or (received is not None and not received.cells[place]):
            continue
        if not _is_part(left, whole, none_paid=received is None):
            where = amount.place(place)
            return f"{where} has {amount.cells[place]} and {rest.cells[place]}"
    return ""


def _is_part(left: Decimal, whole: Decimal, none_paid: bool) -> bool:
    if whole == left:
        return none_paid or not whole
    none = Decimal()
    return min(whole, none) <= left <= max(whole, none)


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(map(field_of, columns))
