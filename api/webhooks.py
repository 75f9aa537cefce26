"""Verifies that a webhook comes from who has its secret, by the Standard Webhooks scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from api.problems import Problem

#: What a signed request carries besides its body.
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_LONGEST_ID = 255
#: As the library that verifies signatures has it.
_TOLERANCE_S = 300.0


def require_signed(headers: Mapping[str, str], now: datetime) -> None:
    """Refuse what no secret can have signed, before anything of the body is read.

    Args:
        headers: of the request, their names in lower case.
        now: the time here (aware).

    Raises:
        Problem: a header is missing, or it was signed more than five minutes ago or ahead.
    """
    missing = [name for name in HEADERS if not headers.get(name)]
    if missing:
        raise _refused(f"the request has no {', '.join(missing)}: sign it by Standard Webhooks")
    try:
        ahead = float(headers["webhook-timestamp"]) - now.timestamp()
    except ValueError:
        raise _refused("the webhook-timestamp is no count of seconds since 1970") from None
    # Nor is "nan" near to any time.
    if not abs(ahead) <= _TOLERANCE_S:
        raise _refused(
            "the webhook-timestamp is more than five minutes away from now: is the clock of one of"
            " the two wrong?"
        )


def verified_id(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> str:
    """The id of a message, which its sender keeps when it sends it again.

    Args:
        secrets: of which one has signed it; several while one takes the place of another.
        headers: of the request, their names in lower case.
        body: as it was sent.

    Raises:
        Problem: no secret has signed it, or it was signed more than five minutes ago or ahead.
    """
    missing = [name for name in HEADERS if not headers.get(name)]
    if missing:
        raise _refused(f"the request has no {', '.join(missing)}: sign it by Standard Webhooks")
    signed = {name: headers[name] for name in HEADERS}
    if len(signed["webhook-id"]) > _LONGEST_ID:
        raise _refused(f"the webhook-id has more than {_LONGEST_ID} signs")
    told = "no secret of this source has signed it"
    for secret in secrets:
        try:
            Webhook(secret).verify(body, signed, json_parse=False)
        except WebhookVerificationError as error:
            if "timestamp" in str(error):
                told = f"{error}: is the clock of one of the two wrong?"
        except ValueError:
            # Signatures that are no base64, or bytes that are no text.
            continue
        else:
            return signed["webhook-id"]
    raise _refused(told)


def _refused(detail: str) -> Problem:
    return Problem(401, "bad_signature", detail)
