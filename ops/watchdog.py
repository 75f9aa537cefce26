"""Decides, from positions and ends of logs alone, which workers have stopped doing their work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# One partition may wait its turn while its worker gets through another's backlog.
_SINGLE_PARTITION_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the group has come in one partition.

    ``position`` is the stored one, ``end`` what a ``read_committed`` consumer can reach, and
    ``owner_slot`` the slot of the worker that has claimed the partition, None if nobody has.
    """

    topic: str
    partition: int
    position: int
    end: int
    owner_slot: int | None

    @property
    def records(self) -> int:
        """Records still to be processed."""
        return max(0, self.end - self.position)


@dataclass(frozen=True, slots=True)
class Standstill:
    """A partition with lag, as it was first seen at this position with this owner."""

    position: int
    owner_slot: int | None
    since: float


@dataclass(frozen=True, slots=True)
class Watch:
    """What the watchdog remembers from one look to the next."""

    standing: Mapping[tuple[str, int], Standstill] = field(default_factory=dict)
    moved: Mapping[int, float] = field(default_factory=dict)
    """When each slot was last seen to move, or not to have anything to do."""
    unassigned: float | None = None
    """Since when there has been lag that nobody owns."""


def look(previous: Watch, current: Sequence[Lag], now: float) -> Watch:
    """Remember what stands still since when.

    Args:
        previous: what the look before gave; ``Watch()`` at first.
        current: all partitions of the group.
        now: seconds of a clock that never goes back.
    """
    standing: dict[tuple[str, int], Standstill] = {}
    moved = dict(previous.moved)
    lagging_slots = {lag.owner_slot for lag in current if lag.records}
    for lag in current:
        place = (lag.topic, lag.partition)
        before = previous.standing.get(place)
        still = before is not None and (before.position, before.owner_slot) == (
            lag.position,
            lag.owner_slot,
        )
        if lag.records:
            since = before.since if before is not None and still else now
            standing[place] = Standstill(lag.position, lag.owner_slot, since)
        slot = lag.owner_slot
        if slot is not None and ((lag.records and not still) or slot not in lagging_slots):
            moved[slot] = now
    since_before = now if previous.unassigned is None else previous.unassigned
    unassigned = since_before if None in lagging_slots else None
    return Watch(standing, moved, unassigned)


def stalled(
    watch: Watch,
    current: Sequence[Lag],
    started: Mapping[int, float],
    now: float,
    stall_seconds: float,
) -> dict[int, str]:
    """The slots whose workers must be killed, each with the reason.

    Args:
        watch: what ``look`` made of ``current``.
        current: all partitions of the group.
        started: when the worker of each slot started, by the clock of ``now``.
        now: seconds of a clock that never goes back.
        stall_seconds: how long a worker may stand still.
    """
    reasons: dict[int, str] = {}
    owners = {lag.owner_slot for lag in current}
    for slot, start in started.items():
        if now - start < stall_seconds:
            continue
        mine = [still for still in watch.standing.values() if still.owner_slot == slot]
        if slot not in owners:
            reason = _idle_reason(watch, start, now, stall_seconds)
        elif mine and now - max(watch.moved.get(slot, start), start) >= stall_seconds:
            reason = f"lag in {len(mine)} partitions and no position moved for {stall_seconds:g} s"
        else:
            reason = _single_reason(watch, slot, start, now, stall_seconds)
        if reason is not None:
            reasons[slot] = reason
    if watch.unassigned is not None and not set(started) - owners:
        since = max([watch.unassigned, *started.values()])
        if now - since >= _SINGLE_PARTITION_FACTOR * stall_seconds:
            for slot in started:
                reasons.setdefault(slot, "lag in partitions that no worker has claimed")
    return reasons


def _idle_reason(watch: Watch, start: float, now: float, stall_seconds: float) -> str | None:
    if watch.unassigned is None or now - max(watch.unassigned, start) < stall_seconds:
        return None
    return f"assigned nothing for {stall_seconds:g} s while partitions with lag have no worker"


def _single_reason(
    watch: Watch, slot: int, start: float, now: float, stall_seconds: float
) -> str | None:
    limit = _SINGLE_PARTITION_FACTOR * stall_seconds
    for (topic, partition), still in watch.standing.items():
        if still.owner_slot == slot and now - max(still.since, start) >= limit:
            return f"{topic}[{partition}] stood at {still.position} for {limit:g} s with lag"
    return None
