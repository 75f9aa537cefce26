"""Releases a contract: its text is kept for ever, and the catalogue says that it counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

from schemas.canonical import meaning
from schemas.catalogue import TOPICS, Topic, released_versions
from schemas.compatibility import incompatibilities
from schemas.compiler import compile_reader
from schemas.digests import digest_problems, record_digest
from schemas.versions import CONTRACT_MODE


class NotReleased(Exception):
    """The contract cannot be released; the message says why."""


def release(topic: Topic, checkout: Path) -> int | None:
    """Keep the present contract as its next version, and tag it in the catalogue.

    Args:
        topic: whose contract it is.
        checkout: the folder ``schemas`` of the source tree.

    Returns:
        The number of the new version, or None if the newest one says the same.

    Raises:
        NotReleased: an earlier version could not read the present one, or the other way round, or
            the codec could not read what was written with an earlier one; or a released version
            was changed by hand.
    """
    released = checkout / "released"
    if changed := digest_problems(released, TOPICS):
        raise NotReleased("\n".join(changed))
    earlier = released_versions(topic.name, released)
    if topic.released and earlier and meaning(earlier[-1]) == meaning(topic.schema):
        return None
    texts = [(number, json.dumps(one)) for number, one in enumerate(earlier, start=1)]
    found = incompatibilities(CONTRACT_MODE, json.dumps(topic.schema), texts)
    if found:
        raise NotReleased("\n".join(f"{topic.name}: {one}" for one in found))
    for number, writer in enumerate(earlier, start=1):
        try:
            compile_reader(topic.schema, writer)
        except ValueError as error:
            raise NotReleased(
                f"{topic.name}: the codec cannot read version {number}: {error}"
            ) from error
    number = len(earlier) + 1
    kept = released / topic.name / f"{number}.avsc"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes((checkout / "avro" / f"{topic.name}.avsc").read_bytes())
    record_digest(released, topic.name, number)
    catalogue = checkout / "catalogue.yaml"
    told = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(_tagged(told, topic, topic.version_id(number)), encoding="utf-8")
    return number


def _tagged(catalogue: str, topic: Topic, schema_id: int) -> str:
    """By its lines, since the file's comments are a part of it."""
    entry = re.compile(rf"(?ms)^  - name: {re.escape(topic.name)}\n.*?(?=^  - name: |\Z)")

    def changed(found: re.Match[str]) -> str:
        told = re.sub(r"released: \w+", "released: true", found[0])
        return re.sub(r"schema_id: \d+", f"schema_id: {schema_id}", told)

    return entry.sub(changed, catalogue, count=1)
