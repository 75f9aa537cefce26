"""A released contract only grows, and every release is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import TOPICS, CatalogueError, Topic, released_versions
from schemas.digests import digest_problems
from schemas.releasing import NotReleased, release
from schemas.versions import (
    contract_problems,
    contract_versions,
    contracts,
    subject_of,
)

RATE = dataclasses.replace(TOPICS["finance.rate.v1"], released=True, schema_id=109, versions=())
OPTIONAL = {"name": "mood", "type": ["null", "string"], "default": None}


def changed(topic: Topic, *more: Any, without: str = "", **values: Any) -> Topic:
    kept = [field for field in topic.schema["fields"] if field["name"] != without]
    schema = {**topic.schema, "fields": [*kept, *more]}
    return dataclasses.replace(topic, schema=schema, **values)


def problems(topic: Topic, *released: Any) -> list[str]:
    """Return what is wrong with a contract beside these released versions of it."""
    return contract_problems(dataclasses.replace(topic, versions=released))


def test_the_contracts_of_this_checkout_stand_beside_their_released_versions() -> None:
    assert [found for topic in TOPICS.values() for found in contract_problems(topic)] == []


def test_a_contract_as_it_was_released_is_in_order() -> None:
    assert problems(RATE, dict(RATE.schema)) == []


def test_a_better_doc_needs_no_release() -> None:
    told = dataclasses.replace(RATE, schema={**RATE.schema, "doc": "Better words."})
    assert problems(told, dict(RATE.schema)) == []


def test_a_compatible_change_needs_a_release() -> None:
    [problem] = problems(changed(RATE, OPTIONAL), dict(RATE.schema))
    assert problem == (
        "finance.rate.v1 differs from version 1 without a release:"
        " `headrace schemas release finance.rate.v1`."
    )


def test_an_incompatible_change_is_named_with_its_place() -> None:
    assert problems(changed(RATE, without="rate"), dict(RATE.schema)) == [
        "finance.rate.v1: Version 1 cannot read the new schema: at /rate the writer lacks the"
        " field, and the reader has no default for it."
    ]


def test_a_change_is_held_against_every_released_version() -> None:
    without_default = {"name": "mood", "type": "string"}
    now = changed(RATE, without_default, schema_id=1109)
    with_default = dict(changed(RATE, {**without_default, "default": ""}).schema)
    assert problems(now, dict(now.schema), with_default)[:1] == [
        "finance.rate.v1 differs from version 2 without a release:"
        " `headrace schemas release finance.rate.v1`."
    ]
    [problem] = problems(now, dict(RATE.schema), with_default)
    assert "cannot read version 1: at /mood" in problem


def test_a_tag_without_a_version_and_a_version_without_a_tag_are_told() -> None:
    assert "no version of it is kept" in problems(RATE)[0]
    draft = dataclasses.replace(RATE, released=False)
    assert "`released: false`" in problems(draft, dict(RATE.schema))[0]
    assert problems(draft) == []


def test_each_version_has_an_id_of_its_own_for_ever() -> None:
    assert [RATE.version_id(number) for number in (1, 2, 3)] == [109, 1109, 2109]
    grown = dict(changed(RATE, OPTIONAL).schema)
    second = changed(RATE, OPTIONAL, schema_id=1109, versions=(dict(RATE.schema), grown))
    assert contract_problems(second) == []
    assert [(one.number, one.schema_id) for one in contract_versions(second)] == [
        (1, 109),
        (2, 1109),
    ]
    wrong = dataclasses.replace(second, schema_id=109)
    assert "has the id 1109, the catalogue says 109" in contract_problems(wrong)[0]


def test_every_contract_is_known_by_its_topic() -> None:
    assert set(contracts()) == {f"{name}-value" for name in TOPICS}
    for topic in TOPICS.values():
        newest = contracts()[subject_of(topic)][-1]
        assert (newest.schema_id, json.loads(newest.text)) == (topic.schema_id, topic.schema)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder ``schemas`` with two contracts."""
    (tmp_path / "avro").mkdir()
    (tmp_path / "catalogue.yaml").write_text(
        "# Every topic.\ntopics:\n"
        "  - name: finance.rate.v1\n    schema_id: 109\n    released: false\n"
        "  - name: sales.lead.v1\n    schema_id: 110\n    released: false\n",
        encoding="utf-8",
    )
    return tmp_path


def write(checkout: Path, topic: Topic) -> Topic:
    text = json.dumps(topic.schema, indent=2)
    (checkout / "avro" / f"{topic.name}.avsc").write_text(text, encoding="utf-8")
    return topic


def test_a_release_keeps_the_text_and_tags_the_catalogue(checkout: Path) -> None:
    first = write(checkout, RATE)
    assert release(first, checkout) == 1
    assert release(first, checkout) is None
    second = write(checkout, changed(RATE, OPTIONAL))
    assert release(second, checkout) == 2
    assert released_versions(RATE.name, checkout / "released") == (first.schema, second.schema)
    assert (checkout / "catalogue.yaml").read_text(encoding="utf-8") == (
        "# Every topic.\ntopics:\n"
        "  - name: finance.rate.v1\n    schema_id: 1109\n    released: true\n"
        "  - name: sales.lead.v1\n    schema_id: 110\n    released: false\n"
    )


def test_what_others_could_not_read_is_not_released(checkout: Path) -> None:
    release(write(checkout, RATE), checkout)
    with pytest.raises(NotReleased, match="Version 1 cannot read the new schema: at /rate"):
        release(write(checkout, changed(RATE, without="rate")), checkout)
    assert len(released_versions(RATE.name, checkout / "released")) == 1


def test_released_versions_are_numbered_without_a_gap(checkout: Path) -> None:
    place = checkout / "released" / RATE.name
    place.mkdir(parents=True)
    (place / "2.avsc").write_text("{}", encoding="utf-8")
    with pytest.raises(CatalogueError, match="not numbered from 1 on"):
        released_versions(RATE.name, checkout / "released")


def test_released_contract_that_was_changed_by_hand_is_named_and_nothing_is_released_after_it(
    checkout: Path,
) -> None:
    released = checkout / "released"
    release(write(checkout, RATE), checkout)
    assert digest_problems(released, TOPICS) == []
    kept = released / RATE.name / "1.avsc"
    text = kept.read_bytes()
    # The same meaning in other words, which no comparison of schemas finds.
    kept.write_text(json.dumps({**RATE.schema, "doc": "Better words."}), encoding="utf-8")
    told = "finance.rate.v1/1.avsc was changed after its release"
    assert [one.partition(":")[0] for one in digest_problems(released, TOPICS)] == [told]
    with pytest.raises(NotReleased, match=told):
        release(write(checkout, changed(RATE, OPTIONAL)), checkout)
    assert len(released_versions(RATE.name, released)) == 1
    kept.write_bytes(text.replace(b"\n", b"\r\n"))
    assert digest_problems(released, TOPICS) == [], "how a checkout ends its lines is no change"


def test_released_contract_that_is_gone_or_came_by_hand_is_named(checkout: Path) -> None:
    released = checkout / "released"
    release(write(checkout, RATE), checkout)
    (released / RATE.name / "1.avsc").rename(released / RATE.name / "2.avsc")
    gone, new = digest_problems(released, TOPICS)
    assert gone.startswith("finance.rate.v1/1.avsc was released and is gone: ")
    assert new.startswith("finance.rate.v1/2.avsc was put there by hand: ")


def test_topic_that_leaves_the_catalogue_with_released_versions_is_named(checkout: Path) -> None:
    release(write(checkout, RATE), checkout)
    left = digest_problems(checkout / "released", TOPICS.keys() - {RATE.name})
    assert left == ["finance.rate.v1 was released, and the catalogue lacks it."]
