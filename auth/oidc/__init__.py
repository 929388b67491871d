"""Signing in through the agencies' identity provider (OpenID Connect, code flow with PKCE).

Knows no database and no web framework: it is given a request's parameters and the time, and answers with an
`Identity` or names why not. Keeping the pending sign-in, the session and the spent logout tokens is the caller's.
The time must be the real one, never a moved clock: tokens are dated by somebody else.
"""

from auth.oidc.provider import ALGORITHMS, Endpoints, Provider
from auth.oidc.refusals import LogoutRefused, ProviderUnavailable, Reason, SignInRefused
from auth.oidc.relying_party import RelyingParty
from auth.oidc.sign_in import Authorization, Identity, LogoutNotice, Pending, local_path

__all__ = [
    "ALGORITHMS",
    "Authorization",
    "Endpoints",
    "Identity",
    "LogoutNotice",
    "LogoutRefused",
    "Pending",
    "Provider",
    "ProviderUnavailable",
    "Reason",
    "RelyingParty",
    "SignInRefused",
    "local_path",
]
