"""Drafts a mapping of unknown records: guesses to read over, and TODO where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.drafting.columns import Column, columns_of, usual_order
from connectors.drafting.keys import key_of_records
from connectors.drafting.matching import comes_near, matched
from connectors.drafting.naming import (
    likeness,
    names_another,
    names_customer,
    says_beside,
    says_part,
    says_tax,
    vocabulary,
)
from connectors.drafting.opportunities import course_of
from connectors.drafting.payments import amount_paid, paying, without_day
from connectors.drafting.phrasing import Phrase, field_of, left_open, word
from connectors.drafting.sheet import Sheet, holds_entries
from connectors.mapping.contract import FILLED, FieldType, contract_of, in_words
from connectors.mapping.yaml_text import TODO

#: Which amount of the document stands in for one that an entry of a list lacks.
_AMOUNTS = ("gross", "amount", "net")
_MONEY = frozenset(
    ("amount", "budget", "expense", "cost", "annual_spend", "credit_limit", "sales_target")
)
#: How well a column's name must fit to be that of the change time.
_SAYS_CHANGED = 0.7
_CURRENCY = "ISO 4217 code of the amounts, such as EUR; or give each event a field currency"


@dataclass(frozen=True, slots=True)
class Drafted:
    """The text of a draft, the columns that it leaves over, and how often it says TODO."""

    text: str
    unused: tuple[str, ...]
    todos: int


def draft_mapping(
    name: str,
    records: Sequence[Mapping[str, Any]],
    documents: Sequence[str],
    places: Sequence[str] = (),
) -> Drafted:
    """Draft a mapping that makes ``documents`` of each record.

    Args:
        name: of the records; it becomes that of the stream and of the profile.
        records: samples, as a reader of files hands them in; at least one.
        documents: types of the catalogue.
        places: where each record stands, for what is said of a broken value.
    """
    columns = columns_of(records, places)
    sheet = Sheet(name, columns, usual_order(columns))
    key, made_of = key_of_records(columns, documents[0])
    sheet.used.update(one.name for one in made_of)
    if "invoice" in documents:
        alone = made_of[0] if len(made_of) == 1 else None
        invoice = sheet.matched("invoice")
        sheet.invoice = invoice.get("id", alone)
        sheet.total = invoice.get("gross", invoice.get("net"))
    customer = _customer_of(sheet, documents)
    events = [
        line for document in documents for line in ["", *_event(sheet, document, key, customer)]
    ]
    body = [
        f"# Drafted from {len(records)} records. Fill in what says {TODO}, and read over the rest.",
        f"profile: {word(name)}/1",
        *_defaults(sheet, documents),
        "streams:",
        f"  {word(name)}:",
        f"    key: {key.text}{_comment(key)}",
        *_change_time(sheet),
        "events:",
        *events[1:],
    ]
    unused = tuple(one.name for one in columns if one.name not in sheet.used)
    if unused:
        body += ["", f"# Columns that nothing uses: {', '.join(unused)}"]
    text = "\n".join(body) + "\n"
    todos = sum(line.partition("#")[0].count(TODO) for line in body)
    return Drafted(text, unused, todos)


def _comment(one: Phrase) -> str:
    return f"   # {one.comment}" if one.comment else ""


def _defaults(sheet: Sheet, documents: Sequence[str]) -> list[str]:
    """A currency for all events, where one has amounts and no column says it."""
    if any(_lacks_currency(sheet, document) for document in documents):
        return ["defaults:", f"  currency: {TODO}   # {_CURRENCY}"]
    return []


def _lacks_currency(sheet: Sheet, document: str) -> bool:
    contract, found = contract_of(document), sheet.matched(document)
    if document == "rate" or "currency" not in contract or "currency" in found:
        return False
    return not contract["currency"].optional or not _MONEY.isdisjoint(found)


def _change_time(sheet: Sheet) -> list[str]:
    """``changed`` and ``version``, where a column says when the record was last changed."""
    names = vocabulary().names_of("", "recorded_at")
    for one in sorted(sheet.columns, key=lambda one: -likeness(one.name, names)):
        if likeness(one.name, names) < _SAYS_CHANGED:
            return []
        wanted = FieldType("date" if one.days else "instant", True)
        if one.values and (one.days or one.instants or comes_near(one, "recorded_at", wanted)):
            made = sheet.write("", "recorded_at", wanted, one)
            version = "date" if one.days else "precise"
            return [f"    changed: {made.text}{_comment(made)}", f"    version: {version}"]
    return []


def _customer_of(sheet: Sheet, documents: Sequence[str]) -> Column | None:
    """The column by which the other documents of a row name their customer."""
    for document in documents:
        if "customer" in contract_of(document):
            return sheet.matched(document).get("customer")
    return None


def _event(sheet: Sheet, document: str, key: Phrase, customer: Column | None = None) -> list[str]:
    contract = contract_of(document)
    found = sheet.matched(document)
    own = found.pop("id", None)
    if document == "customer":
        own = customer or own
        if own is None or (customer is None and not names_customer(own.name)):
            own, key = _customer_key(sheet, own, found.get("name"), key)
    if document == "payment":
        found = paying(sheet, found)
    if own is not None:
        sheet.used.add(own.name)
        found = {name: one for name, one in found.items() if own.unique or own.decides(one)}
        if "name" in contract and "name" not in found and own.wordy:
            found["name"] = own
    lists = [line for name in contract for line in _list(sheet, document, name, found)]
    fields = _fields(sheet, document, found)
    lines = [
        f"- emit: {document}",
        f"  from: {word(sheet.name)}",
        f"  key: {key.text + _comment(key) if own is None else field_of(own)}",
    ]
    only_if = found.get(vocabulary().only_if.get(document, ""))
    if only_if is None and own is not None and not own.filled:
        only_if = own
    if only_if is not None:
        unsaid = without_day(sheet, found) if document == "payment" else ""
        lines.append(f"  when: {{not_empty: {field_of(only_if)}}}{_comment(Phrase('', unsaid))}")
    lines.append("  fields:" if fields else "  fields: {}")
    lines += [f"    {name}: {one.text}{_comment(one)}" for name, one in fields.items()]
    empty = [
        name for name in contract if name not in fields and name not in FILLED and name != "deleted"
    ]
    # The currency comes from the defaults.
    empty = [name for name in empty if f"  {name}:" not in lists and name != "currency"]
    if empty:
        lines.append(f"    # not filled: {', '.join(empty)}")
    return lines + lists


def _customer_key(
    sheet: Sheet, own: Column | None, name: Column | None, key: Phrase
) -> tuple[Column | None, Phrase]:
    """The key of customers whose number no column is called: their name, in another's rows.

    Returns:
        The column that is the key, if one is; and the key of the rows, or what is to be said of it.
    """
    if any(names_another(one.name) for one in sheet.columns):
        return name, left_open("a column that says who the customer is")
    if own is not None or name is None or name.unique:
        return own, key
    return None, left_open(f"{field_of(name)} repeats: is it the key, or is it {key.text}?")


def _fields(sheet: Sheet, document: str, found: dict[str, Column]) -> dict[str, Phrase]:
    constants = vocabulary().constants.get(document, {})
    fields: dict[str, Phrase] = {}
    dated = found.get(vocabulary().dated.get(document, ""))
    if dated is not None and "occurred_at" not in found:
        instant = contract_of(document)["occurred_at"]
        made = sheet.write(document, "occurred_at", instant, dated)
        always = dated.filled or vocabulary().dated[document] == vocabulary().only_if.get(document)
        if not always and made.text != TODO:
            text = f'{{coalesce: [{made.text}, {{const: "1970-01-01"}}]}}'
            made = Phrase(text, made.comment or "empty in some records")
        fields["occurred_at"] = made
    derived = course_of(sheet, found) if document == "opportunity" else {}
    for name, wanted in contract_of(document).items():
        if name in FILLED or holds_entries(wanted):
            continue
        if name in derived:
            fields[name] = derived[name]
        elif name in found:
            fields[name] = _field(sheet, document, name, wanted, found[name], found)
        elif name in constants:
            fields[name] = Phrase(f"{{const: {constants[name]}}}", "no column says it")
        elif name in ("net", "gross") and _other_amount(name) in found:
            other = found[_other_amount(name)]
            fields[name] = sheet.write(document, name, wanted, other).adding(_unsure(sheet))
            if name == "gross":
                fields["gross_is_net"] = Phrase("{const: true}")
        elif not wanted.optional and (name != "currency" or document == "rate"):
            fields[name] = left_open(_in_words(name, wanted) + _left(sheet, wanted))
    return fields


def _field(
    sheet: Sheet,
    document: str,
    name: str,
    wanted: FieldType,
    column: Column,
    found: Mapping[str, Column],
) -> Phrase:
    """How a column fills a field of the document or of an entry of its lists."""
    if (document, name) == ("payment", "amount"):
        return amount_paid(sheet, column, found.get("received_on"))
    return sheet.write(document, name, wanted, column)


def _unsure(sheet: Sheet) -> str:
    """What is asked of an amount that stands for both, with and without tax."""
    taxes = [field_of(one) for one in sheet.columns if says_tax(one.name) and one.bare.numbers]
    beside = f" (beside it: {', '.join(taxes)})" if taxes else ""
    return f"no amount of its own: with or without tax?{beside}"


def _other_amount(name: str) -> str:
    return "gross" if name == "net" else "net"


def _left(sheet: Sheet, wanted: FieldType) -> str:
    """Which columns say a part of an amount, or another: no draft takes them for it."""
    if wanted.kind != "decimal":
        return ""
    numbers = [one for one in sheet.columns if one.bare.numbers]
    parts = [field_of(one) for one in numbers if says_part(one.name)]
    beside = [field_of(one) for one in numbers if says_beside(one.name)]
    said = f"; only a part: {', '.join(parts)}" if parts else ""
    return said + (f"; says something else: {', '.join(beside)}" if beside else "")


def _in_words(name: str, wanted: FieldType) -> str:
    example = ", such as {reference: COLUMN}" if wanted.is_reference else ""
    return in_words(name, wanted) + example


def _list(sheet: Sheet, document: str, name: str, found: Mapping[str, Column]) -> list[str]:
    """A list with one entry from the row itself, where the column that makes it is there."""
    trigger = vocabulary().lists.get(document, {}).get(name)
    if trigger is None:
        return []
    wanted = contract_of(document)[name].fields
    names = [each for each in wanted if each not in ("number", "order", "shipment", "instalment")]
    columns = matched(document, {each: wanted[each] for each in names}, sheet.columns)
    if trigger == "invoice" and sheet.invoice is not None:
        columns[trigger] = sheet.invoice
    if document == "payment":
        columns = paying(sheet, columns)
    if name == "instalments" and sheet.total is not None:
        columns["amount"] = sheet.total
    if trigger not in columns:
        return []
    lines = [f"  {name}:"]
    if not columns[trigger].filled and trigger not in vocabulary().only_if.get(document, ""):
        lines.append(f"    when: {{not_empty: {field_of(columns[trigger])}}}")
    lines.append("    fields:")
    for each, kind in wanted.items():
        made = _entry_field(sheet, document, each, kind, columns, found)
        if made is not None:
            lines.append(f"      {each}: {made.text}{_comment(made)}")
        elif each == "quantity":
            lines.append("      # no column says the quantity: {const: 1} if each row is one unit")
    return lines


def _entry_field(
    sheet: Sheet,
    document: str,
    name: str,
    wanted: FieldType,
    columns: Mapping[str, Column],
    found: Mapping[str, Column],
) -> Phrase | None:
    if name in columns:
        return _field(sheet, document, name, wanted, columns[name], found)
    if name == "number":
        return Phrase("{const: 1}" if wanted.kind == "integer" else '{const: "1"}')
    if name in ("amount", "net_amount"):
        amount = next((found[each] for each in _AMOUNTS if each in found), None)
        if amount is not None:
            return sheet.write(document, name, wanted, amount)
    if wanted.optional:
        return None
    return left_open(_in_words(name, wanted) + _left(sheet, wanted))
