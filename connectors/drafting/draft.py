"""Drafts a mapping of unknown records: guesses to read over, and TODO where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.drafting.columns import Column, columns_of, usual_order
from connectors.drafting.keys import key_of_records
from connectors.drafting.matching import (
    comes_near,
    likeness,
    matched,
    names_another,
    names_customer,
    says_part,
    vocabulary,
)
from connectors.drafting.phrasing import Phrase, field_of, left_open, phrase, word
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


@dataclass(slots=True)
class _Sample:
    name: str
    columns: list[Column]
    order: str | None
    used: set[str] = field(default_factory=set)
    #: The key of the invoices that the same rows make.
    invoice: Column | None = None

    def write(self, document: str, name: str, wanted: FieldType, column: Column) -> Phrase:
        self.used.add(column.name)
        return phrase(document, name, wanted, column, self.order)


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
    sample = _Sample(name, columns, usual_order(columns))
    key, made_of = key_of_records(columns, documents[0])
    sample.used.update(one.name for one in made_of)
    if "invoice" in documents:
        alone = made_of[0] if len(made_of) == 1 else None
        sample.invoice = matched_of(sample, "invoice").get("id", alone)
    customer = _customer_of(sample, documents)
    events = [
        line for document in documents for line in ["", *_event(sample, document, key, customer)]
    ]
    body = [
        f"# Drafted from {len(records)} records. Fill in what says {TODO}, and read over the rest.",
        f"profile: {word(name)}/1",
        *_defaults(sample, documents),
        "streams:",
        f"  {word(name)}:",
        f"    key: {key.text}{_comment(key)}",
        *_change_time(sample),
        "events:",
        *events[1:],
    ]
    unused = tuple(one.name for one in columns if one.name not in sample.used)
    if unused:
        body += ["", f"# Columns that nothing uses: {', '.join(unused)}"]
    text = "\n".join(body) + "\n"
    todos = sum(line.partition("#")[0].count(TODO) for line in body)
    return Drafted(text, unused, todos)


def _comment(one: Phrase) -> str:
    return f"   # {one.comment}" if one.comment else ""


def _defaults(sample: _Sample, documents: Sequence[str]) -> list[str]:
    """A currency for all events, where one has amounts and no column says it."""
    if any(_lacks_currency(sample, document) for document in documents):
        return ["defaults:", f"  currency: {TODO}   # {_CURRENCY}"]
    return []


def _lacks_currency(sample: _Sample, document: str) -> bool:
    contract, found = contract_of(document), matched_of(sample, document)
    if document == "rate" or "currency" not in contract or "currency" in found:
        return False
    return not contract["currency"].optional or not _MONEY.isdisjoint(found)


def matched_of(sample: _Sample, document: str) -> dict[str, Column]:
    """The columns that fill the fields of a document itself."""
    fields = {
        name: wanted for name, wanted in contract_of(document).items() if not _is_list(wanted)
    }
    return matched(document, fields, sample.columns)


def _is_list(wanted: FieldType) -> bool:
    return bool(wanted.fields) and (wanted.many or not wanted.is_reference)


def _change_time(sample: _Sample) -> list[str]:
    """``changed`` and ``version``, where a column says when the record was last changed."""
    names = vocabulary().names_of("", "recorded_at")
    for one in sorted(sample.columns, key=lambda one: -likeness(one.name, names)):
        if likeness(one.name, names) < _SAYS_CHANGED:
            return []
        wanted = FieldType("date" if one.days else "instant", True)
        if one.values and (one.days or one.instants or comes_near(one, "recorded_at", wanted)):
            made = sample.write("", "recorded_at", wanted, one)
            version = "date" if one.days else "precise"
            return [f"    changed: {made.text}{_comment(made)}", f"    version: {version}"]
    return []


def _customer_of(sample: _Sample, documents: Sequence[str]) -> Column | None:
    """The column by which the other documents of a row name their customer."""
    for document in documents:
        if "customer" in contract_of(document):
            return matched_of(sample, document).get("customer")
    return None


def _event(
    sample: _Sample, document: str, key: Phrase, customer: Column | None = None
) -> list[str]:
    contract = contract_of(document)
    found = matched_of(sample, document)
    own = found.pop("id", None)
    if document == "customer":
        own = customer or own
        if own is None or (customer is None and not names_customer(own.name)):
            own, key = _customer_key(sample, own, found.get("name"), key)
    if own is not None:
        sample.used.add(own.name)
        found = {name: one for name, one in found.items() if own.unique or own.decides(one)}
        if "name" in contract and "name" not in found and own.wordy:
            found["name"] = own
    lists = [line for name in contract for line in _list(sample, document, name, found)]
    fields = _fields(sample, document, found)
    lines = [
        f"- emit: {document}",
        f"  from: {word(sample.name)}",
        f"  key: {key.text + _comment(key) if own is None else field_of(own)}",
    ]
    only_if = found.get(vocabulary().only_if.get(document, ""))
    if only_if is None and own is not None and not own.filled:
        only_if = own
    if only_if is not None:
        lines.append(f"  when: {{not_empty: {field_of(only_if)}}}")
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
    sample: _Sample, own: Column | None, name: Column | None, key: Phrase
) -> tuple[Column | None, Phrase]:
    """The key of customers whose number no column is called: their name, in another's rows.

    Returns:
        The column that is the key, if one is; and the key of the rows, or what is to be said of it.
    """
    if any(names_another(one.name) for one in sample.columns):
        return name, left_open("a column that says who the customer is")
    if own is not None or name is None or name.unique:
        return own, key
    return None, left_open(f"{field_of(name)} repeats: is it the key, or is it {key.text}?")


def _fields(sample: _Sample, document: str, found: dict[str, Column]) -> dict[str, Phrase]:
    constants = vocabulary().constants.get(document, {})
    fields: dict[str, Phrase] = {}
    dated = found.get(vocabulary().dated.get(document, ""))
    if dated is not None and "occurred_at" not in found:
        instant = contract_of(document)["occurred_at"]
        made = sample.write(document, "occurred_at", instant, dated)
        always = dated.filled or vocabulary().dated[document] == vocabulary().only_if.get(document)
        if not always and made.text != TODO:
            text = f'{{coalesce: [{made.text}, {{const: "1970-01-01"}}]}}'
            made = Phrase(text, made.comment or "empty in some records")
        fields["occurred_at"] = made
    closing = _closing(sample, found) if document == "opportunity" else {}
    for name, wanted in contract_of(document).items():
        if name in FILLED or _is_list(wanted):
            continue
        if name in closing:
            fields[name] = closing[name]
        elif name in found:
            fields[name] = sample.write(document, name, wanted, found[name])
        elif name in constants:
            fields[name] = Phrase(f"{{const: {constants[name]}}}", "no column says it")
        elif name in ("net", "gross") and _other_amount(name) in found:
            other = found[_other_amount(name)]
            fields[name] = sample.write(document, name, wanted, other).adding(
                "no amount of its own: with or without tax?"
            )
            if name == "gross":
                fields["gross_is_net"] = Phrase("{const: true}")
        elif not wanted.optional and (name != "currency" or document == "rate"):
            fields[name] = left_open(_in_words(name, wanted) + _left(sample, wanted))
    return fields


def _closing(sample: _Sample, found: Mapping[str, Column]) -> dict[str, Phrase]:
    """What a column of close dates fills: open opportunities have one that is only expected."""
    column, stage = found.get("closed_on"), found.get("stage")
    if column is None or not column.values:
        return {}
    contract = contract_of("opportunity")
    ended = () if stage is None else tuple(filter(_is_ended, stage.distinct))
    if stage is not None:
        both = zip(column.cells, stage.cells, strict=True)
        dated = {bool(date) for date, at in both if at not in ended}
        if dated == {False}:
            return {}
    made = sample.write("opportunity", "closed_on", contract["closed_on"], column)
    expected = {} if "expected_close_on" in found else {"expected_close_on": made}
    if made.text == TODO:
        return expected
    if stage is None or not ended:
        return expected | {"closed_on": left_open(f"{made.text} where it is won or lost")}
    words = ", ".join(map(word, ended))
    test = f"{{in: [{field_of(stage)}, [{words}]]}}"
    only = Phrase(f"{{case: [{{if: {test}, then: {made.text}}}]}}", made.comment)
    return expected | {"closed_on": only}


def _is_ended(stage: str) -> bool:
    return vocabulary().meaning("opportunity", "stage", stage) in ("won", "lost")


def _other_amount(name: str) -> str:
    return "gross" if name == "net" else "net"


def _left(sample: _Sample, wanted: FieldType) -> str:
    """Which columns say what is left of an amount, which no draft takes for the amount."""
    if wanted.kind != "decimal":
        return ""
    left = [one for one in sample.columns if says_part(one.name) and one.numbers]
    return f"; only a part: {', '.join(map(field_of, left))}" if left else ""


def _in_words(name: str, wanted: FieldType) -> str:
    example = ", such as {reference: COLUMN}" if wanted.is_reference else ""
    return in_words(name, wanted) + example


def _list(sample: _Sample, document: str, name: str, found: Mapping[str, Column]) -> list[str]:
    """A list with one entry from the row itself, where the column that makes it is there."""
    trigger = vocabulary().lists.get(document, {}).get(name)
    if trigger is None:
        return []
    wanted = contract_of(document)[name].fields
    names = [each for each in wanted if each not in ("number", "order", "shipment", "instalment")]
    columns = matched(document, {each: wanted[each] for each in names}, sample.columns)
    if trigger == "invoice" and sample.invoice is not None:
        columns[trigger] = sample.invoice
    if trigger not in columns:
        return []
    lines = [f"  {name}:"]
    if not columns[trigger].filled and trigger not in vocabulary().only_if.get(document, ""):
        lines.append(f"    when: {{not_empty: {field_of(columns[trigger])}}}")
    lines.append("    fields:")
    for each, kind in wanted.items():
        made = _entry_field(sample, document, each, kind, columns, found)
        if made is not None:
            lines.append(f"      {each}: {made.text}{_comment(made)}")
        elif each == "quantity":
            lines.append("      # no column says the quantity: {const: 1} if each row is one unit")
    return lines


def _entry_field(
    sample: _Sample,
    document: str,
    name: str,
    wanted: FieldType,
    columns: Mapping[str, Column],
    found: Mapping[str, Column],
) -> Phrase | None:
    if name in columns:
        return sample.write(document, name, wanted, columns[name])
    if name == "number":
        return Phrase("{const: 1}" if wanted.kind == "integer" else '{const: "1"}')
    if name in ("amount", "net_amount"):
        amount = next((found[each] for each in _AMOUNTS if each in found), None)
        if amount is not None:
            return sample.write(document, name, wanted, amount)
    if wanted.optional:
        return None
    return left_open(_in_words(name, wanted) + _left(sample, wanted))
