"""Takes deliveries of a webhook in, by the same way as files: mapped, settled, published, kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.door import Connection, Door
from connectors.passes import make_pass
from connectors.portions import Portion
from connectors.pushed.records import Handed
from connectors.settle import Settled
from sinks.dead_letters import DeadLetter


@dataclass(slots=True)
class WatchedDoor(Door):
    """A door that remembers the dead letters that went through it."""

    letters: list[DeadLetter] = field(default_factory=list)

    def commit(
        self,
        settled: Settled,
        letters: Sequence[DeadLetter],
        work: Callable[[Connection], int],
        read: int = 0,
    ) -> None:
        """See ``Door.commit``."""
        # Slots make the class anew, so that ``super()`` alone would not find it.
        Door.commit(self, settled, letters, work, read)
        self.letters += letters


def take_deliveries(door: WatchedDoor, portions: Sequence[Portion]) -> list[list[DeadLetter]]:
    """Take deliveries in; returns when the broker has acknowledged what is made of them.

    Args:
        door: of the source, whose right to be read is held; of these deliveries alone.
        portions: one for each delivery, under origins of different names.

    Returns:
        For each delivery the dead letters of its records.

    Raises:
        PublishError: the broker did not take them all; handing them in again is safe.
        psycopg.Error: the database is away, or refuses the work.
    """
    make_pass(door, Handed(list(portions)), final=False)
    by_origin: dict[str, list[DeadLetter]] = {}
    for letter in door.letters:
        by_origin.setdefault((letter.place or "").rpartition(":")[0], []).append(letter)
    return [by_origin.get(portion.origin.name, []) for portion in portions]
