"""The identity provider the portal brings along for demonstrations and tests: one account per role, one click each.

Production has the agencies' own provider, and this one refuses to start there. It runs as a process of its own,
`python -m portal.identity_provider`; importing this package brings only the names of the accounts.
"""

from portal.identity_provider.accounts import ACCOUNTS, NEWCOMER, ORGANISATIONS, Account

__all__ = ["ACCOUNTS", "NEWCOMER", "ORGANISATIONS", "Account"]
