"""Documents reach a real broker with key, partition and headers, and are settled one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from kafka import TopicPartition

from connectors.encoding import Encoded, encode_drafts
from connectors.mapping.values import Draft, Rejection
from connectors.publish import KafkaPublisher, Outgoing, PublishError, outgoing
from connectors.settle import settle_direct
from connectors.traces import new_trace
from hub.kafka import Cluster, ensure_topics
from schemas.catalogue import DOCUMENTS
from schemas.codec import Decoded, content_digest, decode_batch
from tests.connectors.sources import LogInMemory


@dataclass(frozen=True)
class NamedTopic:
    name: str
    cleanup: str = "delete"


def draft(number: str, customer: str = "K1", changed: int = 1, precise: bool = False) -> Draft:
    body = {
        "source": "erp",
        "id": number,
        "occurred_at": datetime(2026, 1, 2, tzinfo=UTC),
        "customer": {"source": "erp", "id": customer},
        "title": f"deal {number}",
        "stage": "won",
        "opened_on": datetime(2026, 1, 2, tzinfo=UTC).date(),
    }
    return Draft("opportunity", number, body, changed, precise, f"deals.csv:{number}")


def encoded(one: Draft) -> Encoded:
    (found,) = encode_drafts([one])
    assert isinstance(found, Encoded), found
    return found


def test_message_is_what_the_codec_reads_with_the_settled_version() -> None:
    one = encoded(draft("1"))
    for version in (1, 63, 64, 1_767_323_045_678_901):
        (read,) = decode_batch(DOCUMENTS["opportunity"], [one.message(version)])
        assert isinstance(read, Decoded)
        assert read.document["version"] == version
        assert read.digest == one.digest == content_digest(one.message(version)[5:])


def test_document_that_breaks_its_contract_or_a_rule_is_a_rejection() -> None:
    unfit, broken = draft("1"), draft("2")
    del unfit.body["stage"]
    broken.body["stage"] = "sold"
    ancient = draft("3", changed=-5, precise=True)
    found = encode_drafts([unfit, broken, ancient, draft("4")])
    codes = [one.code if isinstance(one, Rejection) else None for one in found]
    assert codes == ["not_the_contract", "stage", "version", None]


def test_coarse_contents_count_up_from_their_date_and_repeats_are_known() -> None:
    first, other = encoded(draft("1", "K1", 100)), encoded(draft("1", "K2", 100))
    settled = settle_direct([first, other, first], [])
    assert [version for _, version in settled.new] == [100, 101]
    assert settled.repeated == 1
    again = settle_direct([first, other, encoded(draft("1", "K3", 100))], settled.seen)
    assert [version for _, version in again.new] == [102]
    precise = settle_direct([encoded(draft("1", "K1", 100, precise=True))], settled.seen)
    assert [version for _, version in precise.new] == [100]


@pytest.fixture
def publisher(broker: Cluster, topic_prefix: str) -> Iterator[KafkaPublisher]:
    ensure_topics(broker, [NamedTopic(topic_prefix + "sales.opportunity.v1")], 4)
    kafka = KafkaPublisher(broker, lambda name: topic_prefix + name)
    yield kafka
    kafka.close()


Found = tuple[bytes, bytes, list[tuple[str, bytes]]]


def records_in(broker: Cluster, topic: str) -> dict[int, list[Found]]:
    consumer = broker.consumer()
    partitions = [TopicPartition(topic, number) for number in range(4)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    found: dict[int, list[Found]] = {}
    while any(consumer.position(one) < ends[one] for one in partitions):
        for partition, batch in consumer.poll(timeout_ms=500).items():
            found.setdefault(partition.partition, []).extend(
                (record.key, record.value, list(record.headers)) for record in batch
            )
    consumer.close()
    return found


@pytest.mark.stack
def test_one_customers_documents_share_a_partition(
    broker: Cluster, publisher: KafkaPublisher, topic_prefix: str
) -> None:
    sent = [
        outgoing(encoded(draft(str(number), f"K{number % 7}")), number + 1) for number in range(70)
    ]
    publisher.publish(sent)
    in_memory = LogInMemory()
    in_memory.publish(sent)
    found = records_in(broker, topic_prefix + "sales.opportunity.v1")
    homes: dict[str, set[int]] = {}
    for partition, records in found.items():
        for read, *_ in [
            decode_batch(DOCUMENTS["opportunity"], [value]) for _, value, _ in records
        ]:
            assert isinstance(read, Decoded)
            homes.setdefault(read.document["customer"]["id"], set()).add(partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len(found) > 1
    # The double gives the same records in the same order per key.
    flat = [(key, value) for records in found.values() for key, value, _ in records]
    assert sorted(flat) == sorted((one.key, one.value) for one in in_memory.records)


@pytest.mark.stack
def test_record_carries_cloudevents_attributes_and_its_place(
    broker: Cluster, publisher: KafkaPublisher, topic_prefix: str
) -> None:
    span = new_trace().span()
    publisher.publish([outgoing(encoded(draft("42")), 9, span)])
    ((key, _, headers),) = next(
        iter(records_in(broker, topic_prefix + "sales.opportunity.v1").values())
    )
    assert key == b"erp|42"
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"opportunity|erp|42@9",
        "ce_source": b"/sources/erp",
        "ce_type": b"sales.opportunity.v1",
        "ce_time": b"2026-01-02T00:00:00+00:00",
        "ce_subject": b"42",
        "ce_dataschema": b"registry:/schemas/ids/104",
        "content-type": b"application/avro",
        "traceparent": span,
        "place": b"deals.csv:42",
    }


@pytest.mark.stack
def test_record_that_is_too_large_is_named_and_the_others_are_in_the_log(
    broker: Cluster, publisher: KafkaPublisher, topic_prefix: str
) -> None:
    topic = "sales.opportunity.v1"
    sizes = [10, 1_100_000, 10, 1_000_000, 2_000_000, 10]
    sent = [
        Outgoing(topic, b"k%d" % number, bytes(size), b"erp|K1", [])
        for number, size in enumerate(sizes)
    ]
    in_memory = LogInMemory()
    assert publisher.publish(sent) == in_memory.publish(sent) == {1, 4}
    (found,) = records_in(broker, topic_prefix + topic).values()
    assert [key for key, *_ in found] == [one.key for one in in_memory.records]


@pytest.mark.stack
def test_topic_that_is_not_there_is_an_error_and_not_a_loss(
    broker: Cluster, topic_prefix: str
) -> None:
    publisher = KafkaPublisher(broker, lambda name: topic_prefix + name, patience_s=0.5)
    for partition_by in (b"erp|K1", None):
        with pytest.raises(PublishError):
            publisher.publish([Outgoing("nowhere.v1", b"k", b"v", partition_by, [])])
    publisher.close()
