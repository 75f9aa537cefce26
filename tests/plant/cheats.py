"""Simple tricks by which somebody might link customers of two systems, each tried in earnest.

A trick takes the records of two systems and pairs them, each record at most once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tests.plant.exported import Exported

Pairs = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer's record in one system, as far as a trick looks at it.

    `place` is its rank by first appearance, `first_on` the date of its first change, `digits` those
    of its id, `words` the beginnings of its names.
    """

    key: str
    place: int
    first_on: date
    id: str
    digits: str
    words: frozenset[str]


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
            )
        )
    return found


def _beginnings(name: str | None) -> set[str]:
    """The first word of a name, and of one without blanks its first two signs."""
    words = (name or "").casefold().split()
    if not words:
        return set()
    return {words[0]} if words[0].isascii() else {words[0], words[0][:2]}


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
    "same first word": same_first_word,
}
