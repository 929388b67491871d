"""When usage is pulled, hour by hour, and what a collector must be. Pure."""

import datetime as dt
import enum
import re
import urllib.parse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from auth.addresses import may_be_called

HOUR: Final = dt.timedelta(hours=1)
SETTLES: Final = dt.timedelta(minutes=5)  # after an hour is over, so that its last samples are in
TRIES_AGAIN: Final = dt.timedelta(minutes=10)
INTERVALS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
MOST_QUERIES: Final = 20
_LONGEST = {"name": 120, "address": 500, "text": 2000}
_LONGEST_SECRET = 4000
# What a header can carry: a token of RFC 6750, a user name without the colon that ends it, no control characters.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_USER_NAME = re.compile(r"[^:\x00-\x1f\x7f]{1,254}")
_PASSWORD = re.compile(r"[^\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}", re.ASCII)

Asked = Mapping[str, str]
"""A query: `meter`, `text`, and `label`, the one that names the service in each answer."""


class SignIn(enum.StrEnum):
    """How the portal shows a server who it is."""

    NONE = "none"
    BASIC = "basic"  # a user name and a password
    BEARER = "bearer"  # a token


class Known(Protocol):
    """What matters of a collector that is changed."""

    address: str
    signs_in: SignIn


@dataclass(frozen=True, slots=True)
class Plan:
    """What staff say of a collector; `since` is the first hour to pull from now on.

    `sealed_secret` is the password or token, sealed; empty keeps the one there is.
    """

    name: str
    address: str
    queries: Sequence[Asked]
    every_hours: int
    since: dt.datetime
    signs_in: SignIn = SignIn.NONE
    user_name: str = ""
    sealed_secret: str = ""


def hours_due(collected_until: dt.datetime, now: dt.datetime, *, most: int) -> list[dt.datetime]:
    """Return the hours that are over and not pulled yet, the earliest first, `most` of them at once."""
    found = list[dt.datetime]()
    while len(found) < most and collected_until + HOUR + SETTLES <= now:
        found.append(collected_until)
        collected_until += HOUR
    return found


def next_run(collected_until: dt.datetime, every_hours: int) -> dt.datetime:
    """Return when the next hours are to be pulled: when so many of them are over."""
    return collected_until + every_hours * HOUR + SETTLES


def full_hour(moment: dt.datetime) -> dt.datetime:
    """Return the beginning of the hour a moment is in."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def faults_of(
    plan: Plan, meters: Collection[str], known: Known | None = None, *, to_this_machine: bool
) -> dict[str, str]:
    """Return what is wrong with a plan, by field; the queries' fields carry their place, such as "text-1".

    `known` is the collector that is changed, whose secret can be kept.
    """
    found = _faults_of_text("name", plan.name) | _faults_of_text("address", plan.address)
    if "address" not in found and not may_be_called(plan.address, to_this_machine=to_this_machine):
        found["address"] = "Enter an address that begins with https://."
    if "address" not in found and "@" in urllib.parse.urlsplit(plan.address).netloc:
        found["address"] = "Enter the user name and password in their own fields, not in the address."
    found |= _faults_of_sign_in(plan, known)
    if plan.every_hours not in INTERVALS:
        found["every_hours"] = "Choose one of the list."
    if not plan.queries:
        found["text-1"] = "Give a query for one meter at least."
    seen = set[str]()
    for place, query in enumerate(plan.queries, 1):
        found |= _faults_of_text(f"text-{place}", query["text"])
        if query["meter"] not in meters:
            found[f"meter-{place}"] = "Choose one of the list."
        elif query["meter"] in seen:
            found[f"meter-{place}"] = "This meter has a query already; add them up in one."
        if not _LABEL.fullmatch(query["label"]):
            found[f"label-{place}"] = "A label has letters, digits and underscores."
        seen.add(query["meter"])
    return found


def faults_of_secret(signs_in: SignIn, secret: str) -> dict[str, str]:
    """Return what is wrong with a password or token that was typed; one that cannot be sent is refused here."""
    allowed = _TOKEN if signs_in is SignIn.BEARER else _PASSWORD
    if secret and (len(secret) > _LONGEST_SECRET or not allowed.fullmatch(secret)):
        return {"secret": "This cannot be sent; check that it was copied whole."}
    return {}


def same_server(one: str, other: str) -> bool:
    """Say whether two addresses lead to the same server, so that what is secret to one is none to the other."""
    return _server(one) == _server(other)


def _server(address: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def _faults_of_sign_in(plan: Plan, known: Known | None) -> dict[str, str]:
    if plan.signs_in is SignIn.NONE:
        return {}
    found = dict[str, str]()
    if plan.signs_in is SignIn.BASIC and not _USER_NAME.fullmatch(plan.user_name):
        found["user_name"] = "Enter the user name, without a colon."
    if plan.sealed_secret:
        return found
    if known is None or known.signs_in is not plan.signs_in:
        return found | {"secret": "Enter the password or token."}
    if not same_server(known.address, plan.address):
        # Or else whoever may change the address could have the secret sent to a server of their own.
        return found | {"secret": "The address leads to another server. Enter the password or token again."}
    return found


def _faults_of_text(field: str, text: str) -> dict[str, str]:
    if not text:
        return {field: "Fill in this field."}
    return {field: "This text is too long."} if len(text) > _LONGEST[field.partition("-")[0]] else {}
