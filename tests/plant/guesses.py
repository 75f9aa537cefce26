"""Simple guesses at what the truth knows: why invoices are late, who is lost, what is wanted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from tests.oracle.answers import Json
from tests.plant.exported import Exported, newest

Late = tuple[Json, Mapping[str, Any]]
"""A row of the truth about a late instalment, and its invoice as it was exported."""

_WEEK = timedelta(days=7)


def late_invoices(truth: Sequence[Json], exported: Sequence[Exported]) -> list[Late]:
    """Return the late instalments with their invoices, by due date."""
    invoices = newest(exported)
    found: list[Late] = []
    for row in sorted(truth, key=lambda row: row["due_on"]):
        key = f"{row['source']}|{row['id']}"
        if key in invoices:
            found.append((row, invoices[key].body))
    return found


# -- why an invoice is late: what a guess looks at


def nothing(_late: Late) -> Hashable:
    """The same cause for all."""
    return None


def payer(late: Late) -> Hashable:
    """Who is to pay."""
    return str(late[1]["customer"])


def terms(late: Late) -> Hashable:
    """The terms of payment."""
    return str((late[1].get("terms") or {}).get("code"))


def days_late(late: Late) -> Hashable:
    """How late it was paid, in steps of ten days."""
    row = late[0]
    if row["paid_on"] is None:
        return None
    return min(
        12, (date.fromisoformat(row["paid_on"]) - date.fromisoformat(row["due_on"])).days // 10
    )


def disputed(late: Late) -> Hashable:
    """Whether somebody objected."""
    return bool(late[1]["disputes"])


def reason(late: Late) -> Hashable:
    """What the customer said last, where it objected."""
    disputes = late[1]["disputes"]
    return disputes[-1]["reason"] if disputes else None


def salesperson(late: Late) -> Hashable:
    """Who sold it."""
    return str(late[1].get("salesperson"))


def month(late: Late) -> Hashable:
    """The month of the year in which it was due."""
    return date.fromisoformat(late[0]["due_on"]).month


def size(late: Late) -> Hashable:
    """How large it is, in powers of ten."""
    return len(str(int(late[1]["gross"])))


Clue = Callable[[Late], Hashable]

CLUES: dict[str, Clue] = {
    "nothing": nothing,
    "payer": payer,
    "terms": terms,
    "days late": days_late,
    "dispute": disputed,
    "reason of the dispute": reason,
    "size": size,
    "salesperson": salesperson,
    "month": month,
}


def both(one: Clue, other: Clue) -> Clue:
    """Two clues at once."""
    return lambda late: (one(late), other(late))


def shares_guessed(lates: Sequence[Late]) -> dict[str, float]:
    """Return by clue, and by two clues at once, the share of causes that a guess finds."""
    pairs = {
        f"{one} and {other}": both(CLUES[one], CLUES[other])
        for one, other in combinations(CLUES, 2)
        if one != "nothing"
    }
    return {name: share_guessed(lates, clue) for name, clue in (CLUES | pairs).items()}


def share_guessed(lates: Sequence[Late], clue: Clue) -> float:
    """Return the share of causes that a guess by one clue finds.

    It learns from the earlier half which cause is the most frequent for each value of the clue,
    and guesses the later half, by the most frequent of all where it has not met the value.
    """
    middle = len(lates) // 2
    learnt: dict[Hashable, Counter[str]] = defaultdict(Counter)
    overall: Counter[str] = Counter()
    for late in lates[:middle]:
        learnt[clue(late)][late[0]["cause"]] += 1
        overall[late[0]["cause"]] += 1
    hits = 0
    for late in lates[middle:]:
        known = learnt.get(clue(late), overall)
        hits += known.most_common(1)[0][0] == late[0]["cause"]
    return hits / max(1, len(lates) - middle)


# -- when a customer is lost


def share_of_losses_dated(
    lost: Mapping[str, date], orders: Sequence[Exported], after: timedelta
) -> float:
    """Return the share of losses within a week of a customer's last order and so many days.

    Args:
        lost: by a customer's key in the ERP, all of its records, when it was lost.
        orders: as exported.
        after: how long after its last order a customer is taken for lost.
    """
    last: dict[str, date] = {}
    for order in newest(orders).values():
        customer = order.body["customer"]
        key = f"{customer['source']}|{customer['id']}"
        last[key] = max(last.get(key, date.min), order.body["ordered_on"])
    dated = [key for key in lost if key in last]
    hits = sum(abs(last[key] + after - lost[key]) <= _WEEK for key in dated)
    return hits / max(1, len(lost))


# -- what was wanted


def share_of_demand_met(
    wanted: Mapping[tuple[str, str], Decimal], orders: Sequence[Exported]
) -> float:
    """Return the share of product months in which the units ordered are those wanted.

    Of the months in which something was wanted; by the best of six guesses: the lines by the day
    ordered, wanted or promised, with and without those that were cancelled.
    """
    return max(
        _share_met(wanted, orders, day, live_only)
        for day in ("ordered_on", "wanted_on", "promised_on")
        for live_only in (True, False)
    )


def _share_met(
    wanted: Mapping[tuple[str, str], Decimal],
    orders: Sequence[Exported],
    day: str,
    live_only: bool,
) -> float:
    ordered: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for exported in newest(orders).values():
        order = exported.body
        if live_only and (order["status"] == "cancelled" or order.get("deleted")):
            continue
        for line in order["lines"]:
            if not (live_only and line["rejected"]):
                on = order[day] if day in order else line.get(day) or line["wanted_on"]
                ordered[(line["product"]["id"], f"{on:%Y-%m}")] += line["quantity"]
    places = [place for place, quantity in wanted.items() if quantity]
    return sum(ordered[place] == wanted[place] for place in places) / max(1, len(places))
