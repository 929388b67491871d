"""The one table from refusals to answers."""

import errno
import importlib
import pkgutil

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from auth.errors import Invalid, NotFound, Refusal
from portal.i18n import using
from portal.refusals import ANSWERS, REASONS, answer_to, database_is_away, in_words, sentence_for, unmapped


@pytest.fixture(scope="module", autouse=True)
def everything_imported() -> None:
    """With every module imported, every refusal is known."""
    for name in ("auth", "billing", "services", "portal"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def test_every_refusal_has_its_own_answer() -> None:
    assert unmapped() == set(), "add it to ANSWERS in portal/refusals.py"


def test_a_new_refusal_would_be_noticed() -> None:
    class Unheard(Refusal):
        pass

    assert unmapped() == {Unheard}
    del Unheard


def test_statuses_are_those_with_a_page() -> None:
    assert {answer.status for answer in ANSWERS.values()} <= {400, 403, 404, 409, 422, 503}


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (asyncpg.CannotConnectNowError("starting up"), True),
        (asyncpg.AdminShutdownError("shutting down"), True),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (OSError(errno.ENOENT, "no socket"), True),
        (OSError(errno.ENOSPC, "full"), True),
        (OperationalError(asyncpg.DiskFullError("full")), True),
        (asyncpg.InterfaceError("pool is closing"), True),
        (OperationalError(asyncpg.PostgresSyntaxError("oops")), False),
        (IntegrityError(asyncpg.UniqueViolationError("twice")), False),
        (OSError(errno.EACCES, "no"), False),
        (KeyError("x"), False),
    ],
)
def test_what_counts_as_the_database_being_away(error: Exception, is_away: bool) -> None:
    assert database_is_away(error) is is_away
    assert (answer_to(error) is not None) is is_away


def test_the_words_of_lower_layers_are_told_in_thai() -> None:
    refused = Invalid({"role": "This role does not exist in that organisation."})
    with using("en"):
        assert in_words(refused) == refused.fields
    with using("th"):
        assert in_words(refused)["role"] != refused.fields["role"]
        assert [str(reason) for reason in REASONS if str(reason) == reason.message] == []
        assert sentence_for(refused, ANSWERS[Invalid]) == in_words(refused)["role"]
        assert sentence_for(NotFound("x"), ANSWERS[NotFound]) is None
