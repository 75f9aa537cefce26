"""The peer runs on the hub's versions of everything that both use, so only the runtime differs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What Quix Streams refuses in the hub's version. pydantic has no part in what is measured; the
#: Kafka client is Quix Streams' own, which the hub has for tests alone.
DIFFERENT = {"pydantic", "pydantic-core", "pydantic-settings", "confluent-kafka"}


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_quix_streams_runs_on_the_hubs_versions_of_everything_else() -> None:
    hub, peer = _pins(ROOT / "requirements.lock"), _pins(ROOT / "benchmarks" / "quix.lock")
    shared = hub.keys() & peer.keys()
    assert {"psycopg", "psycopg-binary", "fastavro", "sqlalchemy"} <= shared
    assert {name for name in shared if hub[name] != peer[name]} <= DIFFERENT
