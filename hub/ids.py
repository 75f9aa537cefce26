"""Stable ids of the hub, worked out from the keys of source records."""

from uuid import UUID, uuid5

CUSTOMER_NAMESPACE = UUID("6f0c4b1e-7f0e-5d0b-9a53-0c2a4e7d9f31")


def customer_uuid(key: str) -> UUID:
    """The hub's id of a customer record: UUIDv5 of its key ``source|id`` (DOMAIN.md section 3)."""
    return uuid5(CUSTOMER_NAMESPACE, key)
