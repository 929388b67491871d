"""Which months wait for their check (standard 13.2). Pure."""

from collections.abc import Container

from billing.months import Month


def unchecked(since: Month, now: Month, checked: Container[Month]) -> tuple[Month, ...]:
    """Return the months from `since` that are over in the month `now` and nobody checked, the latest first.

    Months before the fiscal year of the last one that is over are no longer asked for.
    """
    month = now.previous
    year, found = month.fiscal_year, list[Month]()
    while month >= since and month.fiscal_year == year:
        if month not in checked:
            found.append(month)
        month = month.previous
    return tuple(found)
