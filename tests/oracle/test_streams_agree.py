"""Random histories, taken in by the streams in random batches, give what the oracle works out."""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from hub.policy import Policy
from hub.settings import Settings, load_settings
from ops.answers import letters_answer
from ops.asking import ask_customers, ask_demand, ask_documents, ask_receivables
from ops.letters import list_letters
from sinks.database import engine
from sinks.facts import FACTS
from sinks.session import Session
from streams.catalogue import streams
from streams.ingest import Ingest, Span, prepare
from tests.oracle.answers import Answers
from tests.oracle.check import check_hub
from tests.oracle.contracts import contracts
from tests.oracle.generate import AS_OF, BASE_CURRENCY, generate
from tests.oracle.handwritten import customer, log_of
from tests.oracle.log import Record

pytestmark = pytest.mark.stack


@dataclass(frozen=True, slots=True)
class Consumed:
    """A record of the log with the names that a consumer gives its parts."""

    record: Record

    topic = property(lambda self: self.record.topic)
    partition = property(lambda self: self.record.partition)
    offset = property(lambda self: self.record.offset)
    position = property(lambda self: self.record.offset)
    key = property(lambda self: self.record.key)
    value = property(lambda self: self.record.value)
    headers = property(lambda self: self.record.headers)


@pytest.mark.parametrize("seed", [1, 50, 55, 74])
def test_the_streams_agree_with_the_oracle(seed: int, database_url: str, tmp_path: Path) -> None:
    records = log_of(generate(seed, customers=8, events=900))
    rng = random.Random(seed)

    take_in(records, database_url, rng)
    answers = ask(database_url, settings_in(tmp_path), rng)

    assert check_hub(answers, records, as_of=AS_OF, base_currency=BASE_CURRENCY) == []


def test_an_older_version_right_behind_a_tombstone_stands(
    database_url: str, tmp_path: Path
) -> None:
    newer = customer("erp|C", "Before", version=2)
    older = customer("erp|C", "After", version=1)
    records = log_of([newer, dataclasses.replace(newer, value=None), older])
    rng = random.Random(1)
    take_in(records[:1], database_url, rng)
    take_in(records[1:], database_url, rng, sizes=[2])
    answers = ask(database_url, settings_in(tmp_path), rng)
    assert check_hub(answers, records, as_of=AS_OF, base_currency=BASE_CURRENCY) == []


def settings_in(folder: Path) -> Settings:
    """Return settings with the business date and base currency of the generated histories."""
    config = folder / "headrace.yaml"
    config.write_text(
        f"company: {{name: Random, base_currency: {BASE_CURRENCY}, time_zone: Asia/Shanghai}}\n"
        f"data: ./var\nkafka: embedded\ndatabase: embedded\nbusiness_date: {AS_OF}\nsources: []\n"
    )
    return load_settings(config, {})


def take_in(
    records: list[Record], url: str, rng: random.Random, sizes: Sequence[int] = (1, 3, 20, 100)
) -> None:
    """Take the partitions in turn, a random number of records at a time."""
    all_streams = streams(Policy())
    tables = [FACTS, *(table for stream in all_streams for table in stream.staging)]
    session = Session(url, name="oracle", tables=tables)
    ingest = Ingest(all_streams, None)
    partitions: dict[tuple[str, int], list[Consumed]] = defaultdict(list)
    for record in records:
        partitions[(record.topic, record.partition)].append(Consumed(record))
    while partitions:
        topic, partition = place = rng.choice(sorted(partitions))
        size = rng.choice(sizes)
        batch, partitions[place] = partitions[place][:size], partitions[place][size:]
        if not partitions[place]:
            del partitions[place]
        span = Span(topic, partition, 1, batch[0].offset, batch[-1].offset + 1, batch)
        session.run(partial(ingest.commit, prepared=prepare(topic, [span])))
    session.close()


def ask(url: str, settings: Settings, rng: random.Random) -> Answers:
    """Ask for everything, and for receivables on some days before and after the business date."""
    days = [AS_OF, AS_OF + timedelta(days=200)]
    days += [AS_OF - timedelta(days=rng.randrange(1, 450)) for _ in range(6)]
    database = engine(url)
    letters = letters_answer(list_letters(database, replayed=True, limit=None))
    database.dispose()
    return Answers(
        customers=ask_customers(url, settings, None),
        demand=ask_demand(url, settings, None),
        receivables=tuple(ask_receivables(url, settings, day) for day in days),
        documents={
            contract.document: ask_documents(url, contract.document, None)["rows"]
            for contract in contracts().values()
        },
        dead_letters=letters["rows"],
    )
