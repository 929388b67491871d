"""These tests play on the stage, where a month's end issues invoices by itself."""

import pytest

from billing.statements.closing_rules import Policy
from billing.statements.policies import set_policy
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]


@pytest.fixture(autouse=True)
async def automatic(stage: Stage) -> None:
    """Let the provider's invoices be issued without a review, so that each month's end is seen to have been done."""
    await stage.as_("provider-finance", set_policy, stage.provider, Policy(needs_review=False), now=at("2026-10-01"))
