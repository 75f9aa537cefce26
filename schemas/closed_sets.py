"""The fields that hold one of a few words, and which words these are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CLOSED_SETS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        ("contact", "influence"): frozenset({"decides", "recommends", "uses", "blocks"}),
        ("lead", "channel"): frozenset(
            {"customer", "dealer", "salesperson", "campaign", "call_centre", "web"}
        ),
        ("lead", "status"): frozenset({"open", "qualified", "converted", "dropped"}),
        ("opportunity", "stage"): frozenset(
            {"identify", "qualify", "develop", "propose", "won", "lost"}
        ),
        ("opportunity", "outcome"): frozenset({"won", "lost"}),
        ("order", "status"): frozenset({"open", "closed", "cancelled"}),
        ("production", "status"): frozenset(
            {"planned", "released", "started", "finished", "cancelled"}
        ),
        ("capacity", "period"): frozenset({"day", "week"}),
        ("shipment", "status"): frozenset({"planned", "dispatched", "delivered", "cancelled"}),
        ("invoice", "kind"): frozenset({"invoice", "credit_note", "cancellation"}),
        ("invoice", "status"): frozenset({"posted", "cancelled"}),
        ("payment", "kind"): frozenset({"receipt", "refund", "write_off"}),
        ("case", "category"): frozenset(
            {"quality", "delivery", "after_sales", "billing", "request"}
        ),
        ("service_visit", "status"): frozenset({"planned", "completed", "cancelled"}),
        ("equipment", "status"): frozenset({"in_service", "out_of_service", "retired"}),
        ("decision", "kind"): frozenset(
            {
                "link",
                "keep_apart",
                "acknowledge",
                "snooze",
                "assign",
                "overrule",
                "accept",
                "reserve",
            }
        ),
    }
)
"""The words by (type of document, field); a field that the contract lets be null may be null."""
