"""The records that a draft is made of, as columns, and which of these it has used so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.drafting.columns import Column
from connectors.drafting.matching import matched
from connectors.drafting.phrasing import Phrase, phrase
from connectors.mapping.contract import FieldType, contract_of


@dataclass(slots=True)
class Sheet:
    """Columns under the name of their records.

    ``order`` is ``%m`` or ``%d``, which of the two their dates write first; None where no column
    shows it. ``invoice`` is the key of the invoices that the same rows make, and ``total`` their
    amount.
    """

    name: str
    columns: list[Column]
    order: str | None
    used: set[str] = field(default_factory=set)
    invoice: Column | None = None
    total: Column | None = None

    def write(self, document: str, name: str, wanted: FieldType, column: Column) -> Phrase:
        """How a column, which is used thereby, fills a field of a document."""
        self.used.add(column.name)
        return phrase(document, name, wanted, column, self.order)

    def matched(self, document: str) -> dict[str, Column]:
        """The columns that fill the fields of a document itself."""
        fields = {
            name: wanted
            for name, wanted in contract_of(document).items()
            if not holds_entries(wanted)
        }
        return matched(document, fields, self.columns)


def holds_entries(wanted: FieldType) -> bool:
    """Whether a field holds entries, and not a value or the name of another document."""
    return bool(wanted.fields) and (wanted.many or not wanted.is_reference)
