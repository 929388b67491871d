"""Every address of the portal, with who may go there.

The permission is part of the declaration: a route without one cannot be built. PUBLIC is anybody, SIGNED_IN anybody
signed in (also who belongs to no organisation yet), MACHINE no browser.
"""

from auth.rules import Permission as May
from portal.edge import MACHINE, PUBLIC, SIGNED_IN, Page, page
from portal.pages import access, account, audit_log, clock, health, home, signing, users
from portal.settings import Settings

_PAGES = (
    page("GET", "/", home.show, PUBLIC, name="home"),
    # Signing in and out
    page("GET", "/sign-in", signing.sign_in, PUBLIC, name="sign_in", alone=True),
    page("GET", "/sign-in/again", signing.again, PUBLIC, name="sign_in.again", alone=True),
    page("GET", "/sign-in/callback", signing.callback, PUBLIC, name="sign_in.callback", alone=True),
    page("POST", "/sign-out", signing.sign_out, PUBLIC, name="sign_out", alone=True),
    page(
        "POST", "/sign-out/everywhere", account.leave_everywhere, SIGNED_IN, name="sign_out.everywhere", alone=True
    ),
    page("GET", "/signed-out", signing.signed_out, PUBLIC, name="signed_out", alone=True),
    page("POST", "/back-channel-logout", signing.back_channel_logout, MACHINE, name="back_channel_logout"),
    # One's own account
    page("GET", "/language/{code}", account.language, PUBLIC, name="language", alone=True),
    page("GET", "/account", account.show, SIGNED_IN, name="account", alone=True),
    page("POST", "/account/sessions/{id:uuid}/end", account.end_session, SIGNED_IN, name="account.end", alone=True),
    page("POST", "/organisation", account.switch_organisation, SIGNED_IN, name="organisation", alone=True),
    page("GET", "/access", access.show, SIGNED_IN, name="access", alone=True),
    page("POST", "/access", access.ask, SIGNED_IN, name="access.ask", alone=True),
    # People and rights
    page("GET", "/users", users.show, May.USERS_GRANT, name="users"),
    page("POST", "/users/{person:uuid}/grant", users.grant_role, May.USERS_GRANT, name="users.grant"),
    page("GET", "/users/{person:uuid}/revoke/{role}", users.ask_revoke, May.USERS_GRANT, name="users.ask_revoke"),
    page("POST", "/users/{person:uuid}/revoke/{role}", users.revoke_role, May.USERS_GRANT, name="users.revoke"),
    page("POST", "/users/requests/{id:uuid}/decide", users.decide, May.USERS_GRANT, name="users.decide"),
    page("GET", "/audit", audit_log.show, May.AUDIT_READ, name="audit"),
    # For the machine that watches
    page("GET", "/healthz", health.alive, MACHINE, name="healthz"),
    page("GET", "/readyz", health.ready, MACHINE, name="readyz"),
)

# Only where there is a demo clock.
_DEMO_PAGES = (
    page("GET", "/clock", clock.show, May.CLOCK_MOVE, name="clock"),
    page("POST", "/clock/set", clock.set_to, May.CLOCK_MOVE, name="clock.set", alone=True),
    page("POST", "/clock/advance", clock.advance, May.CLOCK_MOVE, name="clock.advance", alone=True),
    page("POST", "/clock/hold", clock.hold, May.CLOCK_MOVE, name="clock.hold", alone=True),
    page("POST", "/clock/release", clock.release, May.CLOCK_MOVE, name="clock.release", alone=True),
)


def pages(settings: Settings) -> tuple[Page, ...]:
    """Return the pages there are by these settings."""
    return _PAGES + (_DEMO_PAGES if settings.demo_clock else ())
