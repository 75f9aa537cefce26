"""Every stream of the hub: a new one is a folder and one line here."""

from __future__ import annotations

from hub.policy import Policy
from sinks.changes import Stream
from streams.customers.stream import Customers
from streams.demand.stream import Demand
from streams.receivables.stream import Receivables


def streams(policy: Policy) -> tuple[Stream, ...]:
    """Return the streams in the order in which they take a batch (and its locks).

    The customers come last: who introduces a customer keeps it from others until the commit.
    """
    return (Demand(policy), Receivables(), Customers())
