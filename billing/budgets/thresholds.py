"""From when on a budget is worth a word: so much of it spent, or the year heading beyond it. Pure."""

import enum
from dataclasses import dataclass
from decimal import Decimal

from billing.budgets.rules import Standing
from billing.money import exactly


class Against(enum.StrEnum):
    """What a threshold looks at."""

    ACTUAL = "actual"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A share of a budget, in per cent."""

    against: Against
    percent: int


THRESHOLDS = (Threshold(Against.ACTUAL, 80), Threshold(Against.ACTUAL, 100), Threshold(Against.FORECAST, 100))


def crossed(standing: Standing) -> tuple[Threshold, ...]:
    """Return the thresholds a budget has reached; a forecast has to exceed its own, as meeting it is the plan.

    What is confirmed and does not run yet is part of where the year is heading.
    """
    return tuple(each for each in THRESHOLDS if _is_crossed(each, standing))


def _is_crossed(threshold: Threshold, standing: Standing) -> bool:
    with exactly():
        line = standing.budget * threshold.percent / Decimal(100)
        if threshold.against is Against.FORECAST:
            return standing.in_all > line
        return standing.spent >= line and standing.spent > 0
