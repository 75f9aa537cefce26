"""The codes under which messages and documents are refused, each with what it says is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.bounds import LONGEST_ID_BYTES, LONGEST_PROSE, LONGEST_SOURCE, LONGEST_TEXT, PROSE
from schemas.checks import MOST_DAYS, MOST_MONTHS
from schemas.closed_sets import CLOSED_SETS

UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "truncated": "A message holds its head of five bytes and the whole document.",
        "wrong_magic": "The first byte of a message is 0.",
        "unknown_schema": "The four bytes behind it are the schema id of a version of a contract.",
        "wrong_topic": "The contract is that of the topic.",
        "malformed": "Each value fits the type of its field.",
        "left_over": "Nothing stands behind the document.",
    }
)
"""Of messages that cannot be read (schemas.codec)."""

BROKEN_RULES: Mapping[str, str] = MappingProxyType(
    {
        "source": f"A source is not empty, without '|', and has at most {LONGEST_SOURCE}"
        " characters.",
        "id": "An id is not empty.",
        "version": "A version is above 0.",
        "reference": "A reference states an id, and a source as above.",
        "text_length": f"A text has at most {LONGEST_TEXT:,} characters, an id"
        f" {LONGEST_ID_BYTES:,} bytes in UTF-8, and one of {', '.join(sorted(PROSE))}"
        f" {LONGEST_PROSE:,} characters.",
        "number_range": "An amount or a quantity lies between -1E+20 and 1E+20.",
        "currency": "A currency is in ISO 4217, or was before it was withdrawn.",
        "digits": "A total, an instalment, an allocation or a payment has no more decimals than"
        " its currency.",
        "rate": "An exchange rate is above 0.",
        "terms": f"Terms of payment are of 0 to {MOST_MONTHS} months and 0 to {MOST_DAYS} days.",
        "negative": "An expense, a budget, a target of sales or collections, a cost, a duration, a"
        " capacity, a quantity made or an amount of a credit note is not negative.",
        "rating": "A rating is from 1 to 5.",
        "probability": "A probability is from 0 to 1.",
        "date_order": "What ends does so when it began or later: closed after opened, delivered"
        " after dispatched, reversed after received, finished after started, completed after"
        " arrived, a dispute until after since.",
        "period": "A period ends when it begins or later, and is one of the words allowed.",
        "itself": "The parent of a customer, the superior of a contact, the successor of a product"
        " and the invoice that is cancelled are other documents.",
        "instalments": "Instalments add up to the gross total.",
        "instalment_number": "Two instalments have two numbers.",
        "line_number": "Two lines have two numbers.",
        "part_number": "Two parts have two numbers.",
        "cancels": "A cancellation names the invoice that it cancels.",
        "refund": "The amount of a refund is negative.",
        "capacity": "A capacity states a quantity, hours or both.",
        "serial_number": "The serial number of equipment is not empty.",
        "decision": "A decision names what its kind needs: two subjects of a link, the key of an"
        " alert or an item, the employee, the cause, the amount or the quantity.",
        "subject": "A subject of a decision is a document of a type in the catalogue.",
        "actor": "The actor of a decision is not empty.",
    }
    | {
        field: f"The {field} is one of the words allowed ([documents.md](documents.md))."
        for _, field in sorted(CLOSED_SETS)
        if field != "period"
    }
)
"""Of documents that can be read and break a rule (schemas.validation)."""
