"""What passes between Kafka and the ledger: batches of records, and claims on partitions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(slots=True)
class RecordBatch:
    """What one fetch returned of one partition.

    ``start`` is the end of the fetch before it and ``end`` the consumer's position after it, so
    batches join without a gap although offsets have some (transaction markers, compaction);
    ``records`` may be empty where only such a gap was passed. ``epoch`` is the claim under which
    it was fetched.
    """

    topic: str
    partition: int
    start: int
    end: int
    epoch: int
    records: list[Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to process a partition from ``position`` on, under ``epoch``."""

    position: int
    epoch: int


class PositionStore(Protocol):
    """Who owns positions: the ledger in the database."""

    def claim(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Claim]:
        """Take the partitions over from whoever had them; raise if a position cannot be resumed."""

    def release(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Say that nothing of the partitions is in work any more."""
