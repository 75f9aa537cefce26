"""Customers become known to a system when it first has to do with them."""

from __future__ import annotations

from dataclasses import replace

from plant.world import World


def introduce(world: World, customer: int, system: str) -> None:
    """Give a customer a record in a system, where it has none yet."""
    buyer = world.buyers[customer]
    known_in = buyer.document.known_in
    if system not in known_in:
        buyer.document = replace(buyer.document, known_in=known_in | {system})
        world.record(buyer.document)
