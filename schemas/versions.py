"""The versions of each contract: those that were released, kept as files, and the present one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from schemas.canonical import meaning
from schemas.catalogue import TOPICS, Topic
from schemas.compatibility import Mode, incompatibilities

#: The mode of our contracts: a log is read by newer code, and by consumers that stayed behind.
CONTRACT_MODE = Mode.FULL_TRANSITIVE


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version of a contract, as a registry holds it."""

    subject: str
    number: int
    schema_id: int
    text: str


def subject_of(topic: Topic) -> str:
    """Return the subject of a topic's values, by Confluent's TopicNameStrategy."""
    return f"{topic.name}-value"


def contract_versions(topic: Topic) -> tuple[ContractVersion, ...]:
    """Return the versions of a contract for a registry; the newest is the present contract."""
    subject = subject_of(topic)
    schemas = [*topic.versions[:-1], topic.schema]
    return tuple(
        ContractVersion(
            subject,
            number,
            topic.schema_id if number == len(schemas) else topic.version_id(number),
            json.dumps(schema, separators=(",", ":"), ensure_ascii=False),
        )
        for number, schema in enumerate(schemas, start=1)
    )


@cache
def contracts() -> Mapping[str, tuple[ContractVersion, ...]]:
    """Return the versions of every contract by their subject."""
    return MappingProxyType(
        {subject_of(topic): contract_versions(topic) for topic in TOPICS.values()}
    )


def contract_problems(topic: Topic) -> list[str]:
    """Return why the present contract may not stand beside its released versions, in sentences."""
    name, released, number = topic.name, topic.versions, len(topic.versions)
    release = f"headrace schemas release {name}"
    if not topic.released:
        taken_back = f"{name} has released versions, but the catalogue says `released: false`."
        return [taken_back] if released else []
    if not released:
        return [f"{name} is tagged as released, but no version of it is kept: `{release}`."]
    earlier = [(each, json.dumps(one)) for each, one in enumerate(released, start=1)]
    present = json.dumps(topic.schema)
    problems = [f"{name}: {found}" for found in incompatibilities(CONTRACT_MODE, present, earlier)]
    if not problems and meaning(topic.schema) != meaning(released[-1]):
        problems.append(f"{name} differs from version {number} without a release: `{release}`.")
    if topic.schema_id != topic.version_id(number):
        problems.append(
            f"{name}: version {number} has the id {topic.version_id(number)}, the catalogue says"
            f" {topic.schema_id}."
        )
    return problems
