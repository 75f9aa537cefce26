"""The profile for Asterisk's queue_log on an invented log in its format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.dry_run import DryRun, dry_run
from tests.connectors.sources import FIXTURES, SampleSource, contents, copied, profile

LOG = FIXTURES / "asterisk_queue_log" / "queue_log"
Call = tuple[Any, Any, Any, Any, Any]
#: Caller, agent, seconds waited and talked, abandoned.
CALLS: dict[str, Call] = {
    "1769904000.17|sales": ("0301234567", "SIP/202", 9, 60, False),
    "1769904012.21|sales": (None, None, 31, None, True),
    "1769904100.25|service": ("0401112223", "Beate Koch", 4, 40, False),
    "1769904100.25|sales": ("0401112223", "SIP/202", 6, 20, False),
    "1769904200.31|service": ("0405550001", "Beate Koch", 3, 50, False),
    "1769904260.35|service": ("0405550002", "Beate Koch", 2, 30, False),
    "1769904300.41|sales": ("0307654321", "SIP/201", 70, 25, False),
    "1769904400.51|sales": ("0309998887", None, 20, None, False),
    "1769904500.61|service": ("0401231231", "Beate Koch", 7, None, False),
}


def told(body: dict[str, Any]) -> Call:
    names = ("caller", "agent", "waited_s", "talked_s", "abandoned")
    caller, agent, waited, talked, abandoned = (body.get(name) for name in names)
    return caller, agent, waited, talked, abandoned


@pytest.fixture(scope="module")
def log() -> DryRun:
    return dry_run(profile("asterisk_queue_log"), str(LOG.parent))


def test_each_caller_in_each_queue_is_a_call(log: DryRun) -> None:
    assert log.rejections == []
    assert {draft.id: told(draft.body) for draft in log.drafts} == CALLS


def test_lines_that_belong_to_no_call_make_none(log: DryRun) -> None:
    # ADDMEMBER carries the callid of a channel; QUEUESTART, PAUSE and CONFIGRELOAD have none.
    assert not [draft for draft in log.drafts if "1769903980.11" in draft.id]
    assert not [draft for draft in log.drafts if draft.id.startswith(("NONE", "REALTIME"))]


def test_attended_transfer_between_two_bridges_has_a_parameter_more(tmp_path: Path) -> None:
    (line,) = [line for line in LOG.read_text().splitlines() if "|LINK|" in line]
    assert line.count("|") == 10
    entered = "1769904260|1769904260.35|service|NONE|ENTERQUEUE||0405550002|1"
    (tmp_path / "queue_log").write_text(f"{entered}\n{line}\n")
    run = dry_run(profile("asterisk_queue_log"), str(tmp_path))
    assert [draft.body["talked_s"] for draft in run.drafts] == [30]


@pytest.mark.stack
def test_log_that_is_read_twice_and_rotated_publishes_each_call_once(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(
        database_url, copied("asterisk_queue_log", tmp_path), profile("asterisk_queue_log")
    )
    assert source.run().published == len(CALLS)
    assert source.run().published == 0
    (source.folder / "queue_log").rename(source.folder / "queue_log.1")
    source.write("queue_log", "1769905000|NONE|NONE|NONE|QUEUESTART|\n")
    assert source.run().published == 0


@given(cuts=st.lists(st.integers(1, len(LOG.read_bytes()) - 1), max_size=4, unique=True))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.stack
def test_growing_log_that_is_followed_gives_the_same_calls_wherever_it_was_cut(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    # The examples share a database: each has queues of its own.
    mark = f"x{'x'.join(map(str, sorted(cuts)))}"
    text = LOG.read_text().replace("|sales|", f"|sales{mark}|")
    text = text.replace("|service|", f"|service{mark}|")
    mapping = profile("asterisk_queue_log")
    source = SampleSource(database_url, tmp_path_factory.mktemp("log"), mapping)
    source.write("queue_log", "")
    begin = 0
    for end in sorted(cuts):
        source.append("queue_log", text[begin:end])
        source.run(bounded=False)
        begin = end
    source.append("queue_log", text[begin:])
    source.run(bounded=False)
    assert len(source.standing()) == len(CALLS) - 1, "one call is still open"
    source.run()
    found = contents(source.standing())
    assert {key.removesuffix(mark): told(body) for (_, key), body in found.items()} == CALLS


@pytest.mark.stack
def test_call_is_published_when_it_ends(database_url: str, tmp_path: Path) -> None:
    source = SampleSource(database_url, tmp_path, profile("asterisk_queue_log"))
    lines = [line for line in LOG.read_text().splitlines(keepends=True) if ".17|" in line]
    source.write("queue_log", "".join(lines[:-1]))
    report = source.run(bounded=False)
    assert (report.published, report.waiting) == (0, 1)
    source.append("queue_log", lines[-1])
    assert source.run(bounded=False).published == 1
