"""Compares what a hub answers with what the log says, and names every difference in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.oracle.answers import Answers, Json, document_counts
from tests.oracle.customers import COUNTED_DOCUMENTS, Customer, customers, named_keys
from tests.oracle.demand import Demand, demand
from tests.oracle.documents import Documents, read_documents
from tests.oracle.log import Place, Record
from tests.oracle.receivables import BUCKETS, Receivable, receivables, rounded, total_of

CONFLICT_CODE = "version_conflict"


def check_hub(
    answers: Answers,
    records: Iterable[Record],
    *,
    as_of: date,
    base_currency: str,
    quarantined: Collection[Place] = (),
) -> list[str]:
    """Return every difference between a hub's answers and the log; none means that they agree.

    `as_of` is the business date that the hub answered customers and demand for; receivables say
    theirs. `quarantined` are places (topic, partition, offset) of good records that the hub had
    to put aside, such as one that kills the process; they count as dead letters only.
    """
    taken = [record for record in records if record.place not in quarantined]
    documents = read_documents(taken)
    named = customers(documents, as_of, base_currency)
    found: list[str] = []
    for kind, rows in answers.documents.items():
        found += check_documents(kind, rows, documents)
    if answers.status is not None:
        found += check_status(answers.status, documents)
    if answers.customers is not None:
        found += check_customers(answers.customers, named, documents)
    if answers.demand is not None:
        found += check_demand(answers.demand, demand(documents, as_of), as_of)
    for answer in answers.receivables:
        day = date.fromisoformat(answer["as_of"])
        owed = receivables(documents, day, base_currency)
        found += check_receivables(answer, owed, named, base_currency)
    if answers.dead_letters is not None:
        found += check_dead_letters(answers.dead_letters, documents, quarantined)
    return found


def check_documents(kind: str, rows: Iterable[Json], documents: Documents) -> list[str]:
    """Compare the hub's facts of one type with the newest documents of the log."""
    expected = documents.newest.get(kind, {})
    found = []
    shown = {f"{row['source']}|{row['id']}": row for row in rows}
    for key in sorted(set(expected) | set(shown)):
        if key not in shown:
            found.append(f"{kind} {key} is in the log, but not among the hub's documents")
        elif key not in expected:
            found.append(f"{kind} {key} is among the hub's documents, but not in the log")
        elif shown[key]["version"] != expected[key]["version"]:
            found.append(
                f"{kind} {key}: the hub has version {shown[key]['version']}, "
                f"the newest in the log is {expected[key]['version']}"
            )
        else:
            for name in expected[key]:
                if name in shown[key] and not is_same(shown[key][name], expected[key][name]):
                    found.append(
                        f"{kind} {key}: {name} is {shown[key][name]!r}, "
                        f"the log has {expected[key][name]!r}"
                    )
    return found


def is_same(shown: Any, expected: Any) -> bool:
    """Say whether a value from JSON (decimals and dates as text) equals one from the log."""
    if isinstance(expected, dict):
        if not isinstance(shown, dict):
            return False
        return all(name in shown and is_same(shown[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return (
            isinstance(shown, list)
            and len(shown) == len(expected)
            and all(is_same(one, other) for one, other in zip(shown, expected, strict=True))
        )
    if shown is None or expected is None:
        return shown is expected
    if isinstance(expected, Decimal):
        try:
            return Decimal(str(shown)) == expected
        except InvalidOperation:
            return False
    if isinstance(expected, datetime):
        instant = datetime.fromisoformat(shown) if isinstance(shown, str) else shown
        return bool(instant == expected)
    if isinstance(expected, date):
        return str(shown) == expected.isoformat()
    return bool(shown == expected)


def check_status(answer: Json, documents: Documents) -> list[str]:
    """Compare the numbers of documents, deleted and cancelled ones included, type by type."""
    found = []
    shown = answer["documents"]
    expected = document_counts(documents)
    for kind in sorted(set(shown) | set(expected)):
        for what in ("count", "deleted", "cancelled"):
            theirs = shown.get(kind, {}).get(what, 0)
            ours = expected.get(kind, {}).get(what, 0)
            if theirs != ours:
                found.append(f"{kind} documents: {what} is {theirs}, by the log {ours}")
    return found


def check_customers(
    answer: Json, expected: Mapping[str, Customer], documents: Documents
) -> list[str]:
    """Compare who is one customer, its documents' counts, its revenue and its tier."""
    found = []
    introduced = set(documents.live("customer")) | named_keys(documents)
    shown = {row["id"]: row for row in answer["rows"]}
    for repeated, times in Counter(row["id"] for row in answer["rows"]).items():
        if times > 1:
            found.append(f"customer {repeated} is shown {times} times")
    for customer in sorted(set(expected) | set(shown)):
        if customer not in shown:
            members = ", ".join(expected[customer].members)
            found.append(f"customer {customer} ({members}) is missing")
        elif customer not in expected:
            members = ", ".join(sorted(_members(shown[customer])))
            found.append(f"customer {customer} ({members}) should not be a customer of its own")
        else:
            found += _check_customer(shown[customer], expected[customer], introduced)
    return found


def _check_customer(row: Json, expected: Customer, introduced: set[str]) -> list[str]:
    found = []
    whom = f"customer {expected.id} ({', '.join(expected.members)})"
    theirs = _members(row) & introduced
    ours = set(expected.members) & introduced
    if theirs != ours:
        found.append(
            f"{whom}: members too many {sorted(theirs - ours)}, missing {sorted(ours - theirs)}"
        )
    if (row["name"] or None) not in (expected.names or (None,)):
        found.append(f"{whom}: name {row['name']!r} is none of {list(expected.names)}")
    if row["tier"] != expected.tier:
        found.append(f"{whom}: tier is {row['tier']}, by the log {expected.tier}")
    if Decimal(row["revenue"]) != expected.revenue:
        found.append(f"{whom}: revenue is {row['revenue']}, by the log {expected.revenue}")
    for kind in COUNTED_DOCUMENTS:
        if row[f"{kind}s"] != expected.counts[kind]:
            found.append(
                f"{whom}: has {row[f'{kind}s']} {kind}s, by the log {expected.counts[kind]}"
            )
    return found


def _members(row: Json) -> set[str]:
    return {f"{member['source']}|{member['id']}" for member in row["members"]}


def check_demand(
    answer: Json, expected: Mapping[tuple[str, str], Demand], as_of: date
) -> list[str]:
    """Compare orders, pipeline and total of every product and month; rows of zeros may lack."""
    found = []
    if answer["as_of"] != as_of.isoformat():
        found.append(f"demand is as of {answer['as_of']}, asked for was {as_of}")
    shown: dict[tuple[str, str], Json] = {}
    for row in answer["rows"]:
        place = (row["product"], row["month"])
        if place in shown:
            found.append(f"demand for {place[0]} in {place[1]} is shown twice")
        shown[place] = row
    for place in sorted(set(expected) | set(shown)):
        ours = expected.get(place, Demand())
        row = shown.get(place, {"orders": "0", "pipeline": "0", "total": "0"})
        columns = (("orders", ours.orders), ("pipeline", ours.pipeline), ("total", ours.total))
        for name, amount in columns:
            shown_amount = Decimal(row[name])
            if shown_amount != amount:
                found.append(
                    f"demand for {place[0]} in {place[1]}: {name} is {shown_amount.normalize():f}, "
                    f"by the log {amount.normalize():f}"
                )
    return found


def check_receivables(
    answer: Json,
    expected: Mapping[str, Receivable],
    named: Mapping[str, Customer],
    base_currency: str,
) -> list[str]:
    """Compare every column of every customer and of the total; rows of zeros may lack."""
    found = []
    as_of = answer["as_of"]
    if answer["currency"] != base_currency:
        found.append(f"receivables are in {answer['currency']}, not in {base_currency}")
    shown = {row["id"]: row for row in answer["rows"]}
    if len(shown) < len(answer["rows"]):
        found.append(f"receivables as of {as_of} show a customer twice")
    for customer in sorted(set(expected) | set(shown)):
        members = ", ".join(named[customer].members) if customer in named else "unknown"
        whom = f"receivables of customer {customer} ({members}) as of {as_of}"
        ours = columns_of(rounded(expected.get(customer, Receivable()), base_currency))
        if customer in shown:
            theirs = shown_columns(shown[customer])
        else:
            theirs = columns_of(Receivable())
        found += _column_differences(whom, theirs, ours)
    total = columns_of(rounded(total_of(expected), base_currency))
    found += _column_differences(
        f"receivables in all as of {as_of}", shown_columns(answer["total"]), total
    )
    return found


def columns_of(row: Receivable) -> dict[str, Decimal]:
    """Return the columns of a row by name."""
    columns = {
        "outstanding": row.outstanding,
        "not due": row.not_due,
        "unallocated": row.unallocated,
        "items": Decimal(row.items),
        "overdue items": Decimal(row.overdue_items),
    }
    for first, last in BUCKETS:
        columns[f"bucket {first}–{last or ''}"] = row.buckets[(first, last)]
        columns[f"items {first}–{last or ''}"] = Decimal(row.bucket_items[(first, last)])
    return columns


def shown_columns(row: Json) -> dict[str, Decimal]:
    """Return the columns of a row of `show receivables --json` by name."""
    columns = {
        "outstanding": Decimal(row["outstanding"]),
        "not due": Decimal(row["not_due"]),
        "unallocated": Decimal(row["unallocated"]),
        "items": Decimal(row["items"]),
        "overdue items": Decimal(row["overdue_items"]),
    }
    for bucket in row["buckets"]:
        limits = f"{bucket['from']}–{bucket['to'] or ''}"
        columns[f"bucket {limits}"] = Decimal(bucket["amount"])
        columns[f"items {limits}"] = Decimal(bucket["items"])
    return columns


def _column_differences(
    whom: str, theirs: Mapping[str, Decimal], ours: Mapping[str, Decimal]
) -> list[str]:
    found = []
    for name in sorted(set(theirs) | set(ours)):
        if theirs.get(name) != ours.get(name):
            found.append(f"{whom}: {name} is {theirs.get(name)}, by the log {ours.get(name)}")
    amounts = [value for name, value in theirs.items() if name.startswith("bucket ")]
    if theirs["not due"] + sum(amounts) + theirs["unallocated"] != theirs["outstanding"]:
        found.append(f"{whom}: the columns do not add up to outstanding {theirs['outstanding']}")
    return found


def check_dead_letters(
    letters: Iterable[Json], documents: Documents, quarantined: Collection[Place] = ()
) -> list[str]:
    """Compare the dead letters with the bad records and the conflicts that the log holds.

    Letters of connectors, which name no topic, are not looked at. None may be left of a record that
    a tombstone erased. The conflict of a version that was superseded is seen or not, by the order
    of arrival; that of the newest must be there.
    """
    found = []
    must = {bad.record.place: bad.reason for bad in documents.undecodable + documents.rejected}
    must.update(dict.fromkeys(quarantined, "quarantined"))
    must = {place: reason for place, reason in must.items() if place not in documents.erased}
    seen: set[Place] = set()
    conflicts: Counter[tuple[str, str]] = Counter()
    for letter in letters:
        if letter.get("code") == CONFLICT_CODE:
            conflicts[(letter["document"], letter["place"])] += 1
        elif letter.get("topic") is not None:
            place = (letter["topic"], int(letter["partition"]), int(letter["position"]))
            seen.add(place)
            if place not in must:
                reason = letter.get("reason") or letter.get("code")
                truth = "a later tombstone erased it" if place in documents.erased else "it is good"
                found.append(
                    f"record {place[0]}[{place[1]}]@{place[2]} is a dead letter ({reason}), "
                    f"but by the log {truth}"
                )
    for place, reason in must.items():
        if place not in seen:
            found.append(
                f"record {place[0]}[{place[1]}]@{place[2]} ({reason}) is not among the dead letters"
            )
    possible: dict[tuple[str, str], int] = {}
    for conflict in documents.conflicts:
        name = (conflict.document, conflict.place)
        possible[name] = possible.get(name, 0) + len(conflict.losers)
        if conflict.newest and conflicts[name] < len(conflict.losers):
            found.append(
                f"{conflict.document} {conflict.place} came with {1 + len(conflict.losers)} "
                f"contents, but {conflicts[name]} of them are dead letters"
            )
    for version, times in conflicts.items():
        if times > possible.get(version, 0):
            found.append(
                f"{version[0]} {version[1]}: {times} conflicts among the dead letters are too many"
            )
    return found
