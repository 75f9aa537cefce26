"""Webhooks are taken from those alone who have the secret, by Standard Webhooks' own vectors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks.webhooks

from api.problems import Problem
from api.webhooks import require_signed, verified_id

# From the specification and its reference implementations.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIMESTAMP = "1614265330"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#: Of no secret here.
FOREIGN = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
THIRD = "whsec_" + base64.b64encode(b"a third key of some length").decode()
OTHER = "whsec_" + base64.b64encode(b"another key of some length").decode()


@pytest.fixture
def at_the_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of the vector: its time stamp lies within the tolerance."""

    class ThatDay(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(int(VECTOR_TIMESTAMP), tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", ThatDay)


def headers(**changes: str) -> dict[str, str]:
    return {
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": VECTOR_TIMESTAMP,
        "webhook-signature": VECTOR_SIGNATURE,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }


def signed(body: bytes, at: datetime, secret: str = SECRET, id: str = "msg_1") -> dict[str, str]:
    """Headers as the specification has them, made without the library that verifies them."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


@pytest.mark.usefixtures("at_the_vector")
def test_the_vector_of_the_specification_is_taken() -> None:
    assert verified_id([SECRET], headers(), VECTOR_BODY) == VECTOR_ID


@pytest.mark.usefixtures("at_the_vector")
@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_id": "msg_other"},
        {"webhook_timestamp": "1614265331"},
        {"webhook_id": VECTOR_ID[:-1]},
        {"webhook_id": f"{VECTOR_ID}."},
        {"webhook_timestamp": f"0{VECTOR_TIMESTAMP}x"},
        {"webhook_signature": f"v1,{FOREIGN}"},
        # The last sign of the right one is another.
        {"webhook_signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
        # Half of the right one.
        {"webhook_signature": VECTOR_SIGNATURE[:24]},
        {"webhook_signature": VECTOR_SIGNATURE.removeprefix("v1,")},
        {"webhook_signature": "v1,"},
        {"webhook_signature": VECTOR_SIGNATURE.replace("v1,", "v2,")},
        {"webhook_signature": "v1,no base64"},
        {"webhook_signature": "nonsense"},
        {"webhook_signature": ""},
        {"webhook_timestamp": "yesterday"},
    ],
    ids=str,
)
def test_whatever_was_changed_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        verified_id([SECRET], headers(**changed), VECTOR_BODY)
    assert refused.value.status == 401


@pytest.mark.usefixtures("at_the_vector")
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_missing_or_empty_is_named(name: str) -> None:
    without = {key: value for key, value in headers().items() if key != name}
    for given in (without, {**without, name: ""}):
        with pytest.raises(Problem, match=f"no {name}") as refused:
            verified_id([SECRET], given, VECTOR_BODY)
        assert refused.value.status == 401


@pytest.mark.usefixtures("at_the_vector")
@pytest.mark.parametrize("place", range(4))
def test_one_signature_of_several_is_enough_wherever_it_stands(place: int) -> None:
    several = [f"v1,{FOREIGN}", f"v2,{FOREIGN}", f"v1a,{FOREIGN}"]
    with pytest.raises(Problem):
        verified_id([SECRET], headers(webhook_signature=" ".join(several)), VECTOR_BODY)
    several.insert(place, VECTOR_SIGNATURE)
    given = headers(webhook_signature=" ".join(several))
    assert verified_id([SECRET], given, VECTOR_BODY) == VECTOR_ID


@pytest.mark.usefixtures("at_the_vector")
def test_a_body_of_which_any_byte_was_changed_added_or_lost_is_refused() -> None:
    changed = [
        VECTOR_BODY[:at] + bytes([VECTOR_BODY[at] ^ 1]) + VECTOR_BODY[at + 1 :]
        for at in range(len(VECTOR_BODY))
    ]
    lost = [VECTOR_BODY[:at] + VECTOR_BODY[at + 1 :] for at in range(len(VECTOR_BODY))]
    added = [VECTOR_BODY + b" ", b"\xef\xbb\xbf" + VECTOR_BODY, VECTOR_BODY + b"\n", b""]
    for body in (*changed, *lost, *added, b"\xff\xfe"):
        with pytest.raises(Problem) as refused:
            verified_id([SECRET], headers(), body)
        assert refused.value.status == 401


@pytest.mark.usefixtures("at_the_vector")
def test_a_secret_counts_with_and_without_its_prefix_and_no_other_does() -> None:
    bare = SECRET.removeprefix("whsec_")
    assert verified_id([bare], headers(), VECTOR_BODY) == VECTOR_ID
    for other in (OTHER, f"{SECRET[:-1]}x", SECRET.lower()):
        with pytest.raises(Problem):
            verified_id([other], headers(), VECTOR_BODY)


def test_a_message_signed_with_the_old_and_the_new_secret_is_taken_by_who_has_either() -> None:
    body, now = b'{"number": 1}', datetime.now(UTC)
    by = {
        secret: signed(body, now, secret)["webhook-signature"] for secret in (SECRET, OTHER, THIRD)
    }
    both = {**signed(body, now), "webhook-signature": f"{by[SECRET]} {by[OTHER]}"}
    for secrets in ([SECRET], [OTHER], [SECRET, OTHER], [THIRD, OTHER]):
        assert verified_id(secrets, both, body) == "msg_1"
    with pytest.raises(Problem):
        verified_id([THIRD], both, body)


def test_while_secrets_change_both_count_and_afterwards_the_old_one_does_not() -> None:
    body, now = b"{}", datetime.now(UTC)
    for secret in (SECRET, OTHER):
        assert verified_id([OTHER, SECRET], signed(body, now, secret), body) == "msg_1"
    with pytest.raises(Problem):
        verified_id([OTHER], signed(body, now, SECRET), body)


@pytest.mark.parametrize("away", [-302, 302, -86_400, 86_400], ids="{:+} s".format)
def test_a_message_of_another_time_is_refused_and_the_clocks_are_named(away: int) -> None:
    body = json.dumps({"number": 1}).encode()
    given = signed(body, datetime.now(UTC) + timedelta(seconds=away))
    with pytest.raises(Problem, match="clock"):
        verified_id([SECRET], given, body)
    with pytest.raises(Problem, match="clock"):
        require_signed(given, datetime.now(UTC))


@pytest.mark.parametrize("away", [-290, 0, 290], ids="{:+} s".format)
def test_a_message_within_five_minutes_is_taken(away: int) -> None:
    body = json.dumps({"number": 1}).encode()
    given = signed(body, datetime.now(UTC) + timedelta(seconds=away))
    require_signed(given, datetime.now(UTC))
    assert verified_id([SECRET], given, body) == "msg_1"


@pytest.mark.parametrize("stamp", ["nan", "inf", "-inf", "", "1e400", "tomorrow", "2026-03-02"])
def test_a_time_that_is_none_is_refused_before_the_body_is_read(stamp: str) -> None:
    with pytest.raises(Problem) as refused:
        require_signed(headers(webhook_timestamp=stamp), datetime.now(UTC))
    assert refused.value.status == 401
