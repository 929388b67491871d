"""Signing what goes out, and when to try again (Standard Webhooks 1.0). Pure."""

import base64
import datetime as dt
import secrets

from standardwebhooks.webhooks import Webhook

# From the specification's own advice: soon at first, then over days; then a person must look.
BACK_OFF = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=5),
    dt.timedelta(hours=10),
    dt.timedelta(hours=14),
    dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)

# Due from the beginning: what is written down at business time goes out by the machine's, which may be another.
AT_ONCE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def new_secret() -> str:
    """Return a fresh signing secret, `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(message_id: str, body: str, signing_secrets: list[str], now: dt.datetime) -> dict[str, str]:
    """Return the headers of a signed message; one signature per secret, for the time a key rotates."""
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in signing_secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def next_attempt(attempts: int, now: dt.datetime) -> dt.datetime | None:
    """Return when to try again after so many tries, None when they are used up."""
    return now + BACK_OFF[attempts - 1] if attempts <= len(BACK_OFF) else None
