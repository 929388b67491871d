"""Signing in and out through the agencies' identity provider (seed B 5.3).

These handlers talk to the provider, so they work outside of a unit of work and open short ones of their own.
"""

import datetime as dt
import secrets
from urllib.parse import urlencode

import structlog
from starlette.responses import JSONResponse, RedirectResponse, Response

from auth.errors import Invalid
from auth.oidc import (
    Identity,
    LogoutRefused,
    Pending,
    ProviderUnavailable,
    Reason,
    RelyingParty,
    SignInRefused,
)
from auth.people.commands import meet
from auth.rules import system
from auth.sessions.commands import begin, end, end_by_notice, hashed, recall_sign_in, remember_sign_in
from auth.tenancy import acting_as, record, unit_of_work
from portal import arrival, cookies
from portal.visit import Visit

log = structlog.get_logger("portal.web")

_PENDING_FOR = dt.timedelta(minutes=15)
_NEVER = dt.datetime.fromtimestamp(0, dt.UTC)


async def sign_in(visit: Visit) -> Response:
    """Send the visitor to the identity provider; one who is signed in already goes straight on.

    `fresh=1` asks for a sign-in made anew, by the same person. A provider that is down is told plainly.
    """
    session = visit.visitor.session if visit.visitor else None
    is_fresh = visit.query.get("fresh") == "1" and session is not None
    if session is not None and not is_fresh:
        return visit.redirect_to(visit.next_path())
    try:
        authorization = await _relying_party(visit).authorization(
            visit.wall,
            return_to=visit.next_path(),
            max_age=0 if is_fresh else None,
            subject=session.subject if session and is_fresh else None,
            language=visit.language,
        )
    except (ProviderUnavailable, SignInRefused) as trouble:
        return _provider_away(visit, trouble)
    pending = authorization.pending
    browser = cookies.read(visit.request, cookies.BROWSER) or secrets.token_urlsafe(32)
    kept = pending.to_json() | {"browser": hashed(browser)}
    await unit_of_work(system("sign-in"), lambda: remember_sign_in(pending.state, kept, visit.wall))
    response = RedirectResponse(authorization.url, status_code=303)
    cookies.write(response, visit.request, cookies.BROWSER, browser, seconds=int(_PENDING_FOR.total_seconds()))
    return response


async def again(visit: Visit) -> Response:
    """Explain why to sign in (a session ran out, a decision needs it) and lead there by a link.

    Browsers let no form lead to another site, so whoever comes from a form passes here.
    """
    query = {"next": visit.next_path()}
    is_fresh = visit.query.get("fresh") == "1" and visit.actor is not None
    if is_fresh:
        query["fresh"] = "1"
    elif visit.actor is not None:
        return visit.redirect_to(visit.next_path())
    return visit.render(
        "signing/again.html",
        is_fresh=is_fresh,
        has_ended=visit.query.get("ended") == "1",
        way=f"{visit.path('sign_in')}?{urlencode(query)}",
    )


async def callback(visit: Visit) -> Response:
    """Take the provider's answer: a new session for who it proves, a plain page for everything else."""
    pending = await _recalled(visit)
    params = visit.query.values()
    if any(len(visit.query.all(name)) > 1 for name in visit.query):
        return await _refused(visit, SignInRefused(Reason.STATE, "a parameter came twice"))
    try:
        identity = await _relying_party(visit).complete(params, pending, visit.wall)
    except ProviderUnavailable as trouble:
        return _provider_away(visit, trouble)
    except SignInRefused as refused:
        return await _refused(visit, refused)
    token = await unit_of_work(system("sign-in"), lambda: _begin(visit, identity))
    response = visit.redirect_to(pending.return_to if pending else "/")
    cookies.write(response, visit.request, cookies.SESSION, token)
    cookies.drop(response, visit.request, cookies.BROWSER)
    return response


async def sign_out(visit: Visit) -> Response:
    """End this session, and then the one at the identity provider.

    The way to the provider is a refresh of our own page: browsers let no form lead to another site.
    """
    session = visit.visitor.session if visit.visitor else None
    if session is None:
        return visit.redirect("signed_out")
    await unit_of_work(system("sign-out"), lambda: end(session.id, by=visit.by, now=visit.wall))
    return await leave(visit, id_token=session.id_token)


async def leave(visit: Visit, *, id_token: str) -> Response:
    """Answer somebody whose session was just ended: forget it here, and lead to the provider to end it there."""
    state = secrets.token_urlsafe(24)
    way: str | None = None
    try:
        way = await _relying_party(visit).logout_url(id_token or None, state, visit.wall)
    except (ProviderUnavailable, SignInRefused) as trouble:
        log.warning("provider away at sign-out", why=str(trouble))
    visit.look.actor, visit.look.menu, visit.look.flashes = None, (), ()
    response = visit.render("signing/signed_out.html", way=way)
    if way:
        response.headers["refresh"] = f"0; url={way}"
        cookies.write(response, visit.request, cookies.LEAVING, state, seconds=300)
    cookies.drop(response, visit.request, cookies.SESSION)
    cookies.drop(response, visit.request, cookies.FLASH)
    return response


async def signed_out(visit: Visit) -> Response:
    """Tell that nobody is signed in any more; where the provider's answer is not ours it is simply ignored."""
    if visit.actor is not None:
        return visit.redirect("home")
    expected = cookies.read(visit.request, cookies.LEAVING)
    if expected and not RelyingParty.logout_response(visit.query.values(), expected):
        log.info("sign-out answer of another", route="signed_out")
    response = visit.render("signing/signed_out.html", way=None)
    cookies.drop(response, visit.request, cookies.LEAVING)
    return response


async def back_channel_logout(visit: Visit) -> Response:
    """Take the provider's own notice that somebody signed out (OpenID Connect Back-Channel Logout 1.0)."""
    try:
        notice = await _relying_party(visit).back_channel_logout(visit.form.get("logout_token"), visit.wall)
    except (LogoutRefused, Invalid) as refused:
        await _record_refusal(visit, "logout_notice.refused", str(refused))
        return JSONResponse({"error": "invalid_request"}, status_code=400)
    await unit_of_work(
        system("back-channel logout"),
        lambda: end_by_notice(notice.issuer, notice.subject, notice.sid, notice.jti, now=visit.wall),
    )
    return Response(status_code=200)


async def _recalled(visit: Visit) -> Pending | None:
    """Return the sign-in this browser began with this state, once."""
    states = visit.query.all("state")
    if len(states) != 1:
        return None
    kept = await unit_of_work(system("sign-in"), lambda: recall_sign_in(states[0], visit.wall))
    browser = cookies.read(visit.request, cookies.BROWSER)
    if kept is None or not browser or not cookies.same(hashed(browser), str(kept.get("browser"))):
        return None
    return Pending.from_json(kept)


async def _begin(visit: Visit, identity: Identity) -> str:
    name = identity.name or identity.email or identity.subject
    person = await meet(
        identity.issuer,
        identity.subject,
        name=name[:200],
        email=(identity.email or "")[:254],
        now=visit.now,
    )
    if visit.visitor is not None:
        await end(visit.visitor.session.id, by=visit.by, now=visit.wall)
    session, token = await begin(
        person,
        id_token=identity.id_token,
        provider_session=identity.sid or "",
        # A provider that does not say when the person proved themselves gives no fresh sign-in.
        authenticated_at=identity.auth_time or _NEVER,
        user_agent=visit.request.headers.get("user-agent", ""),
        now=visit.wall,
        limits=arrival.limits(visit.request.app.state.settings),
    )
    if visit.visitor is not None and visit.visitor.session.person_id == person.id:
        session.organisation_id = visit.visitor.session.organisation_id
        await session.save(update_fields=["organisation_id"])
    return token


async def _refused(visit: Visit, refused: SignInRefused) -> Response:
    await _record_refusal(visit, "sign_in.refused", refused.reason.name.lower())
    way = f"{visit.path('sign_in')}?{urlencode({'next': '/'})}"
    is_late = refused.reason in {Reason.STATE, Reason.TOO_LATE}
    other = refused.reason is Reason.DIFFERENT_PERSON
    return visit.render("signing/refused.html", status=403, way=way, is_late=is_late, is_other_person=other)


async def _record_refusal(visit: Visit, action: str, why: str) -> None:
    async with acting_as(system("sign-in")):
        record(action, at=visit.wall, subject=("route", visit.route), why=why)


def _provider_away(visit: Visit, trouble: Exception) -> Response:
    log.warning("provider away", why=str(trouble))
    way = f"{visit.path('sign_in')}?{urlencode({'next': visit.next_path()})}"
    return visit.render("signing/provider_away.html", status=503, headers={"retry-after": "30"}, way=way)


def _relying_party(visit: Visit) -> RelyingParty:
    party: RelyingParty = visit.request.app.state.relying_party
    return party
