"""Simple tricks by which somebody might link customers of two systems, each tried in earnest.

A trick takes the records of two systems and pairs them, each record at most once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.plant.exported import Exported

Pairs = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer's record in one system, as far as a trick looks at it.

    `place` is its rank by first appearance, `first_on` the date of its first change, `changed_on`
    the dates of all, `altered_on` of those that changed what it says; `digits` are those of its
    id, `words` the beginnings of its names. `streets` are without blanks and case, `houses` without
    the order and the abbreviations as well, `sites` are postcodes with a house number, and `credit`
    names what is kept of limit, rating and terms.
    """

    key: str
    place: int
    first_on: date
    id: str
    digits: str
    words: frozenset[str]
    changed_on: frozenset[date]
    altered_on: frozenset[date]
    streets: frozenset[str]
    houses: frozenset[str]
    sites: frozenset[str]
    credit: Mapping[str, str]


Trick = Callable[[Sequence[Seen], Sequence[Seen]], Pairs]


def seen_in(records: Iterable[Exported]) -> dict[str, list[Seen]]:
    """Return the customers of each system, in the order of their first appearance."""
    versions: dict[str, list[Exported]] = defaultdict(list)
    for one in records:
        versions[one.key].append(one)
    found: dict[str, list[Seen]] = defaultdict(list)
    for key, states in versions.items():
        first = states[0]
        words = {
            word
            for state in states
            for name in (state.body.get("name"), *(state.body.get("other_names") or ()))
            for word in _beginnings(name)
        }
        found[first.source].append(
            Seen(
                key,
                len(found[first.source]),
                min(state.changed_on for state in states),
                first.id,
                "".join(sign for sign in first.id if sign.isdigit()),
                frozenset(words),
                frozenset(state.changed_on for state in states),
                _altered_on(states),
                frozenset(_street(state.body) for state in states) - {""},
                frozenset(_house(state.body) for state in states) - {""},
                frozenset(_site(state.body) for state in states) - {""},
                _credit(max(states, key=lambda state: state.changed_on).body),
            )
        )
    return found


def _beginnings(name: str | None) -> set[str]:
    """The first word of a name, and of one without blanks its first two signs."""
    words = (name or "").casefold().split()
    if not words:
        return set()
    return {words[0]} if words[0].isascii() else {words[0], words[0][:2]}


def _altered_on(states: Iterable[Exported]) -> frozenset[date]:
    """The dates on which a record did not say the same as before."""
    days, before = set(), None
    for state in sorted(states, key=lambda state: state.changed_on):
        if state.body != before:
            days.add(state.changed_on)
        before = state.body
    return frozenset(days)


def _street(body: Mapping[str, Any]) -> str:
    return "".join((body.get("street") or "").casefold().split())


def _house(body: Mapping[str, Any]) -> str:
    """The house number with the first two signs of each word of the road."""
    street = (body.get("street") or "").casefold()
    numbers = re.findall(r"\d+", street)
    road = re.sub(r"\d+|号|院内", " ", street)
    return " ".join(sorted(word[:2] for word in road.split()) + numbers[-1:])


def _site(body: Mapping[str, Any]) -> str:
    numbers = re.findall(r"\d+", body.get("street") or "")
    postcode = "".join((body.get("postcode") or "").casefold().split())
    return f"{postcode} {numbers[-1]}" if numbers and postcode else ""


def _credit(body: Mapping[str, Any]) -> dict[str, str]:
    limit = Decimal(body.get("credit_limit") or 0)
    found = {
        "limit": f"{limit.normalize():f}" if limit else "",
        "first digit of the limit": f"{limit.adjusted()} {f'{limit.normalize():e}'[0]}"
        if limit
        else "",
        "rating": body.get("credit_rating") or "",
        "terms": (body.get("terms") or {}).get("code") or "",
    }
    return {name: value for name, value in found.items() if value}


# -- the same order


def same_order(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The first of one system is the first of the other, and so on."""
    return _side_by_side(left, right)


def reversed_order(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The first is the last."""
    return _side_by_side(left, right[::-1])


def same_order_in_proportion(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """A record in the middle of one system is that in the middle of the other."""
    return _in_proportion(left, right)


def order_of_ids(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The smallest id is the smallest id, as text."""
    return _side_by_side(_sorted_by_id(left), _sorted_by_id(right))


def order_of_numbers(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The smallest number in an id is the smallest number."""
    return _side_by_side(_sorted_by_number(left), _sorted_by_number(right))


def reversed_order_of_numbers(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The smallest number in an id is the largest number."""
    return _side_by_side(_sorted_by_number(left), _sorted_by_number(right)[::-1])


def order_of_numbers_in_proportion(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """A number in the middle of one system is that in the middle of the other."""
    return _in_proportion(_sorted_by_number(left), _sorted_by_number(right))


def _sorted_by_id(seen: Sequence[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda one: one.id)


def _sorted_by_number(seen: Sequence[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda one: (int(one.digits or 0), one.id))


def _side_by_side(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    return {(one.key, other.key) for one, other in zip(left, right, strict=False)}


def _in_proportion(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    if len(left) > len(right):
        return {(one, other) for other, one in _in_proportion(right, left)}
    step = len(right) / max(1, len(left))
    return {(one.key, right[int(place * step)].key) for place, one in enumerate(left)}


# -- the same digits


def same_digits(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The digits of both ids are the same number."""
    return _equal(left, right, lambda one: {one.digits.lstrip("0")} - {""})


def same_last_digits(count: int) -> Trick:
    """Both ids end with the same digits."""
    return lambda left, right: _equal(left, right, lambda one: {one.digits[-count:]} - {""})


def same_first_digits(count: int) -> Trick:
    """Both ids begin with the same digits."""
    return lambda left, right: _equal(left, right, lambda one: {one.digits[:count]} - {""})


def contained_digits(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """Four or more digits of one id stand in the other in this order, without a gap."""
    return _equal(left, right, lambda one: _runs(one.digits, 4))


def nearly_same_digits(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The last five digits of both ids are the same but for one of them."""
    return _equal(left, right, lambda one: _with_gaps(one.digits[-5:]))


def same_digits_turned_round(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The last four digits of one id are those of the other from behind."""
    turned = {one.key: one.digits[-4:][::-1] for one in right}
    return _equal(left, right, lambda one: {turned.get(one.key, one.digits[-4:])} - {""})


def _runs(digits: str, length: int) -> set[str]:
    return {digits[begin : begin + length] for begin in range(len(digits) - length + 1)}


def _with_gaps(digits: str) -> set[str]:
    return {f"{digits[:gap]}_{digits[gap + 1 :]}" for gap in range(len(digits))}


# -- the same dates


def same_dates(days: int) -> Trick:
    """Both records were first changed on the same date, or so many days apart."""

    def trick(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
        free = sorted(right, key=lambda one: (one.first_on, one.place))
        pairs: Pairs = set()
        for one in sorted(left, key=lambda seen: (seen.first_on, seen.place)):
            near = [other for other in free if abs((other.first_on - one.first_on).days) <= days]
            if near:
                other = min(near, key=lambda seen: abs((seen.first_on - one.first_on).days))
                free.remove(other)
                pairs.add((one.key, other.key))
        return pairs

    return trick


def common_dates(days_of: Callable[[Seen], frozenset[date]], *, rarer_first: bool) -> Trick:
    """Both records were changed on the same dates: those with most dates in common come first.

    `rarer_first` weighs a date the less, the more records were changed on it.
    """

    def trick(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
        changed: dict[date, list[Seen]] = defaultdict(list)
        for other in right:
            for day in days_of(other):
                changed[day].append(other)
        common: list[tuple[float, str, str]] = []
        for one in left:
            weights: dict[str, float] = defaultdict(float)
            for day in days_of(one):
                for other in changed[day]:
                    weights[other.key] += 1 / len(changed[day]) if rarer_first else 1
            common += [(weight, one.key, key) for key, weight in weights.items()]
        return _greedy(common)

    return trick


def _six_weeks_around(one: Seen) -> frozenset[date]:
    """The dates up to three weeks before and after the later alterations of a record."""
    return frozenset(
        day + timedelta(days=apart)
        for day in one.altered_on - {min(one.altered_on)}
        for apart in range(-21, 22)
    )


def changed_when_the_other_appeared(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """One record was changed when the other first appeared; the fewer such, the earlier."""
    common: list[tuple[float, str, str]] = []
    for ones, others, turned in ((left, right, False), (right, left, True)):
        for one in ones:
            older = [
                other
                for other in others
                if other.first_on < one.first_on and one.first_on in other.changed_on
            ]
            for other in older:
                pair = (other.key, one.key) if turned else (one.key, other.key)
                common.append((1 / len(older), *pair))
    return _greedy(common)


def _greedy(weighed: Iterable[tuple[float, str, str]]) -> Pairs:
    """Pair the heaviest first."""
    used: set[str] = set()
    pairs: Pairs = set()
    for _, one, other in sorted(weighed, key=lambda each: (-each[0], *each[1:])):
        if one not in used and other not in used:
            used |= {one, other}
            pairs.add((one, other))
    return pairs


# -- the same places and credit


def same_street(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """A street of both is the same, with its house number."""
    return _equal(left, right, lambda one: set(one.streets))


def same_house(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """A street of both is the same with its house number, however it is written."""
    return _equal(left, right, lambda one: set(one.houses))


def same_site(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """Both have the same postcode and house number."""
    return _equal(left, right, lambda one: set(one.sites))


def same_credit(*names: str) -> Trick:
    """Both have the same of all these: limit, its first digit, rating, terms."""

    def marks_of(one: Seen) -> set[str]:
        kept = [one.credit.get(name, "") for name in names]
        return {" ".join(kept)} if all(kept) else set()

    return lambda left, right: _equal(left, right, marks_of)


# -- the same names


def same_first_word(left: Sequence[Seen], right: Sequence[Seen]) -> Pairs:
    """The first word, or the first two signs, of a name of both are the same."""
    return _equal(left, right, lambda one: set(one.words))


def _equal(
    left: Sequence[Seen], right: Sequence[Seen], marks_of: Callable[[Seen], set[str]]
) -> Pairs:
    """Pair records that have a mark in common; the rarer the mark, the earlier."""
    having: dict[str, tuple[list[Seen], list[Seen]]] = defaultdict(lambda: ([], []))
    for side, records in enumerate((left, right)):
        for one in records:
            for mark in marks_of(one):
                having[mark][side].append(one)
    used: set[str] = set()
    pairs: Pairs = set()
    for ones, others in sorted(having.values(), key=lambda both: len(both[0]) * len(both[1])):
        free = [other for other in others if other.key not in used]
        for one in ones:
            if one.key not in used and free:
                other = free.pop(0)
                used |= {one.key, other.key}
                pairs.add((one.key, other.key))
    return pairs


TRICKS: Mapping[str, Trick] = {
    "same order": same_order,
    "reversed order": reversed_order,
    "same order in proportion": same_order_in_proportion,
    "order of ids": order_of_ids,
    "order of numbers": order_of_numbers,
    "reversed order of numbers": reversed_order_of_numbers,
    "order of numbers in proportion": order_of_numbers_in_proportion,
    "same digits": same_digits,
    **{f"same last {count} digits": same_last_digits(count) for count in (3, 4, 5, 6)},
    **{f"same first {count} digits": same_first_digits(count) for count in (3, 4, 5, 6)},
    "contained digits": contained_digits,
    "nearly the same digits": nearly_same_digits,
    "same digits turned round": same_digits_turned_round,
    "same dates": same_dates(0),
    "dates within a day": same_dates(1),
    "dates within a week": same_dates(7),
    "common dates": common_dates(lambda one: one.changed_on, rarer_first=False),
    "common rare dates": common_dates(lambda one: one.changed_on, rarer_first=True),
    "common dates of alterations": common_dates(lambda one: one.altered_on, rarer_first=True),
    "alterations within six weeks": common_dates(_six_weeks_around, rarer_first=True),
    "changed when the other appeared": changed_when_the_other_appeared,
    "same street": same_street,
    "same street, however written": same_house,
    "same postcode and house number": same_site,
    "same credit": same_credit("limit", "rating", "terms"),
    "same credit limit": same_credit("limit"),
    "same credit limit in round figures, and terms": same_credit(
        "first digit of the limit", "terms"
    ),
    "same credit limit in round figures": same_credit("first digit of the limit"),
    "same first word": same_first_word,
}
