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
from api.webhooks import verified_id

# From the specification and its reference implementations.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIMESTAMP = "1614265330"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
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
        {"webhook_signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="},
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
def test_one_signature_of_several_is_enough() -> None:
    several = f"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,abc {VECTOR_SIGNATURE}"
    assert verified_id([SECRET], headers(webhook_signature=several), VECTOR_BODY) == VECTOR_ID


@pytest.mark.usefixtures("at_the_vector")
def test_another_body_is_refused() -> None:
    with pytest.raises(Problem):
        verified_id([SECRET], headers(), VECTOR_BODY + b" ")
    with pytest.raises(Problem):
        verified_id([SECRET], headers(), b"\xff\xfe")


def test_while_secrets_change_both_count_and_afterwards_the_old_one_does_not() -> None:
    body, now = b"{}", datetime.now(UTC)
    for secret in (SECRET, OTHER):
        assert verified_id([OTHER, SECRET], signed(body, now, secret), body) == "msg_1"
    with pytest.raises(Problem):
        verified_id([OTHER], signed(body, now, SECRET), body)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_of_another_time_is_refused_and_the_clocks_are_named(minutes: int) -> None:
    body = json.dumps({"number": 1}).encode()
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(Problem, match="clock"):
        verified_id([SECRET], signed(body, at), body)
    near = datetime.now(UTC) + timedelta(minutes=minutes / 2)
    assert verified_id([SECRET], signed(body, near), body) == "msg_1"
