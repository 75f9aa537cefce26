"""Documents that are handed in are settled by their version, their change, or their arrival."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.portions import Origin
from connectors.pushed.records import delivered
from connectors.pushed.settling import Pushed, pushed, settle_pushed
from hub.settings import Api
from tests.connectors.sources import mapping

AT = datetime(2026, 1, 2, tzinfo=UTC)


def handed(id: str, content: str, arrived_at: int, **more: Any) -> Pushed:
    body = {
        "source": "crm",
        "id": id,
        "occurred_at": AT,
        "customer": {"source": "crm", "id": "K1"},
        "title": content,
        "stage": "won",
        "opened_on": date(2026, 1, 2),
        **more,
    }
    one = pushed("opportunity", body, arrived_at, "http:test:0")
    assert isinstance(one, Pushed), one
    return one


def test_a_stated_version_is_the_version() -> None:
    settled, (verdict,) = settle_pushed([handed("1", "a", 50, version=7)], (), (), ())
    assert (verdict.version, verdict.repeated, settled.announce) == (7, False, False)


def test_what_a_killed_process_announced_gets_its_version_when_it_comes_again() -> None:
    first, _ = settle_pushed([handed("1", "a", 50)], (), (), ())
    again, (verdict,) = settle_pushed([handed("1", "a", 90)], (), (), first.seen)
    assert verdict.version == first.seen[0].version == 50
    assert not verdict.repeated and not again.unconfirmed


def test_nobody_else_gets_a_version_that_was_announced() -> None:
    first, _ = settle_pushed([handed("1", "a", 50)], (), (), ())
    other, (verdict,) = settle_pushed([handed("1", "b", 50)], (), (), first.seen)
    assert verdict.version == 51
    assert other.unconfirmed == first.seen


def test_a_request_that_comes_again_keeps_its_place_before_a_later_one() -> None:
    killed, _ = settle_pushed([handed("1", "a", 50)], (), (), ())
    later, _ = settle_pushed([handed("1", "b", 60)], (), (), killed.seen)
    # The same request, which came at 50 for the first time.
    _, (verdict,) = settle_pushed([handed("1", "a", 50)], (), later.seen, killed.seen)
    assert verdict.version == 50


@given(
    st.lists(
        st.tuples(st.sampled_from("12"), st.sampled_from("abc"), st.integers(1, 4)), max_size=20
    ),
    st.integers(0, 20),
)
def test_the_newest_arrival_stands_wherever_batches_are_cut(
    arrivals: list[tuple[str, str, int]], cut: int
) -> None:
    newest: dict[str, Any] = {}
    versions: dict[str, list[tuple[int, str]]] = {}
    for part in (arrivals[:cut], arrivals[cut:]):
        several = [handed(id, content, at) for id, content, at in part]
        settled, verdicts = settle_pushed(several, (), list(newest.values()), ())
        for seen in settled.seen:
            newest[seen.key] = seen
        for (id, content, _), verdict in zip(part, verdicts, strict=True):
            before = versions.setdefault(id, [])
            if verdict.repeated:
                assert before[-1] == (verdict.version, content)
            else:
                assert not before or verdict.version > before[-1][0]
                before.append((verdict.version, content))
    for id, content in {id: content for id, content, _ in arrivals}.items():
        assert versions[id][-1][1] == content


def test_a_delivery_is_an_object_a_list_or_lines_and_what_is_broken_is_kept_whole() -> None:
    stream = mapping(
        "profile: t/1\nstreams: {s: {from: unused, key: a}}\n"
        "events: [{emit: customer, from: s, key: a, fields: {occurred_at: {datetime: at}}}]"
    ).streams["s"]
    origin = Origin("http:m1", stream)
    assert delivered(origin, b'{"a": 1.10}', in_lines=False).rows == [(1, {"a": "1.10"})]
    listed = delivered(origin, b'[{"a": 1}, 2, {"a": 1e400}]', in_lines=False)
    assert listed.rows == [(1, {"a": 1}), (3, {"a": "1e400"})]
    assert [(one.number, one.raw) for one in listed.broken] == [(2, b"2")]
    lines = delivered(origin, b'{"a": 1}\n\n{"a"\n', in_lines=True)
    assert (lines.rows, [one.raw for one in lines.broken]) == ([(1, {"a": 1})], [b'{"a"'])
    for body in (b'[{"a": 1},', b"[" * 20_000, b"\xff", b""):
        (broken,) = delivered(origin, body, in_lines=False).broken
        assert broken.raw == body


def test_a_door_without_authentication_is_open_to_this_machine_alone() -> None:
    assert Api(authentication=False).is_private
    for host in ("0.0.0.0", "192.168.1.4", "::"):
        try:
            Api(host=host, authentication=False)
        except ValueError as error:
            assert "loopback" in str(error)
        else:
            raise AssertionError(host)
