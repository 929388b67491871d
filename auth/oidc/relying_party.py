import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from urllib.parse import quote_plus

import httpx2
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from auth.oidc import rules
from auth.oidc.provider import Endpoints, Provider
from auth.oidc.published import Published, ask, json_object
from auth.oidc.refusals import LogoutRefused, ProviderUnavailable, Reason, Refused, SignInRefused
from auth.oidc.rules import SignedToken
from auth.oidc.sign_in import PENDING_FOR, Authorization, Identity, LogoutNotice, Pending, local_path

_ITS_OWN_TROUBLE = ("server_error", "temporarily_unavailable")


class RelyingParty:
    """The portal in its dealings with one identity provider: sign in, sign out, be told of a sign-out.

    Every step either proves what it returns or raises; `now` is the real time, with its zone. One step waits for the
    provider `provider.patience` in all and then raises `ProviderUnavailable`. `http` may be given to reach a provider
    through a proxy or with a private certificate authority; it must not follow redirects.
    """

    def __init__(self, provider: Provider, http: httpx2.AsyncClient | None = None) -> None:
        self.provider = provider
        self._http = http or httpx2.AsyncClient(headers={"Accept": "application/json"})
        self._published = Published(provider, self._http)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._http.aclose()

    async def authorization(
        self,
        now: datetime,
        *,
        return_to: str = "/",
        max_age: int | None = None,
        subject: str | None = None,
        login_hint: str | None = None,
        language: str = "th",
    ) -> Authorization:
        """Start a sign-in: where to send the browser, and what to keep on the server meanwhile.

        `max_age` (seconds) asks for a sign-in no older than that, 0 for one made anew; `subject` says who it must be.
        Both are held against the answer. Refuses metadata of another issuer; a `return_to` elsewhere becomes `/`.
        """
        async with self._step(SignInRefused):
            endpoints = await self._published.endpoints(now)
        pending = Pending(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            code_verifier=secrets.token_urlsafe(48),
            return_to=local_path(return_to),
            started_at=now,
            max_age=max_age,
            subject=subject,
        )
        url = prepare_grant_uri(
            endpoints.authorization,
            self.provider.client_id,
            "code",
            redirect_uri=self.provider.redirect_uri,
            scope=" ".join(self.provider.scopes),
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.code_verifier),
            code_challenge_method="S256",
            max_age=None if max_age is None else str(max_age),
            prompt="login" if max_age == 0 else None,
            acr_values=" ".join(self.provider.required_acr) or None,
            login_hint=login_hint,
            ui_locales="th en" if language == "th" else "en th",
        )
        return Authorization(str(url), pending)

    async def complete(self, params: Mapping[str, str], pending: Pending | None, now: datetime) -> Identity:
        """Finish a sign-in with the parameters the browser came back with.

        Refuses (SignInRefused, with its reason) whatever does not prove who the person is. The caller has already
        removed `pending` from its store, so that a second answer finds none.
        """
        async with self._step(SignInRefused):
            if pending is None or not rules.same(params.get("state"), pending.state):
                raise Refused(Reason.STATE)
            if now - pending.started_at > PENDING_FOR:
                raise Refused(Reason.TOO_LATE)
            endpoints = await self._published.endpoints(now)
            code = self._code(params, endpoints)
            tokens = await self._tokens(
                endpoints,
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.provider.redirect_uri,
                code_verifier=pending.code_verifier,
            )
            identity = await self._identity(tokens, endpoints, now, pending=pending)
            if pending.subject is not None and identity.subject != pending.subject:
                raise Refused(Reason.DIFFERENT_PERSON)
            return identity

    async def refresh(self, identity: Identity, now: datetime) -> Identity:
        """Ask anew for a person who is signed in; refuses tokens of another issuer or about another person."""
        async with self._step(SignInRefused):
            endpoints = await self._published.endpoints(now)
            tokens = await self._tokens(
                endpoints, grant_type="refresh_token", refresh_token=identity.refresh_token or ""
            )
            renewed = await self._identity(tokens, endpoints, now, pending=None)
            if (renewed.issuer, renewed.subject) != (identity.issuer, identity.subject):
                raise Refused(Reason.DIFFERENT_PERSON)
            return renewed

    async def logout_url(self, id_token_hint: str | None, state: str, now: datetime) -> str | None:
        """Where to send the browser to sign out at the provider too, or None when it offers no such place."""
        async with self._step(SignInRefused):
            end_session = (await self._published.endpoints(now)).end_session
        if end_session is None:
            return None
        params = [
            ("client_id", self.provider.client_id),
            ("post_logout_redirect_uri", self.provider.post_logout_redirect_uri),
            ("state", state),
        ]
        if id_token_hint:
            params.append(("id_token_hint", id_token_hint))
        return str(add_params_to_uri(end_session, params))

    @staticmethod
    def logout_response(params: Mapping[str, str], expected_state: str | None) -> bool:
        """Whether the browser came back from the sign-out that was started here; a missing or foreign state is not."""
        return bool(expected_state) and rules.same(params.get("state"), expected_state or "")

    async def back_channel_logout(self, logout_token: str | None, now: datetime) -> LogoutNotice:
        """Read the provider's notice that a session has ended (OpenID Connect Back-Channel Logout 1.0).

        Refuses (LogoutRefused) what is not surely the provider's. The caller refuses a `jti` seen before.
        """
        async with self._step(LogoutRefused):
            claims, _ = await self._believed(logout_token or "", rules.LOGOUT_TOKEN_TYPES, now)
            ends = rules.check_logout_token(claims, self.provider, now)
            return LogoutNotice(
                issuer=self.provider.issuer,
                subject=rules.text_claim(claims, "sub"),
                sid=rules.text_claim(claims, "sid"),
                jti=rules.text_claim(claims, "jti") or "",
                expires_at=ends + rules.SKEW,
            )

    def _code(self, params: Mapping[str, str], endpoints: Endpoints) -> str:
        issuer = params.get("iss")
        if issuer != self.provider.issuer and (issuer is not None or endpoints.names_issuer):
            raise Refused(Reason.ISSUER, "of the answer")
        error = params.get("error")
        if error in _ITS_OWN_TROUBLE:
            raise ProviderUnavailable(error)
        if error:
            raise Refused(Reason.DENIED if error == "access_denied" else Reason.PROVIDER_ERROR, error)
        code = params.get("code")
        if not code:
            raise Refused(Reason.CODE_MISSING)
        return code

    async def _tokens(self, endpoints: Endpoints, **form: str) -> Mapping[str, object]:
        request = self._http.build_request("POST", endpoints.token or "", data=form)
        response = await ask(self._http, request, self._client_auth())
        body = json_object(response)
        if response.status_code != httpx2.codes.OK:
            raise Refused(Reason.TOKEN_REFUSED, str((body or {}).get("error", response.status_code)))
        token_type = (body or {}).get("token_type")
        if body is None or not isinstance(token_type, str) or token_type.lower() != "bearer":
            raise Refused(Reason.TOKEN_RESPONSE, "no bearer token")
        if not isinstance(body.get("access_token"), str):
            raise Refused(Reason.TOKEN_RESPONSE, "no access token")
        if not isinstance(body.get("id_token"), str):
            raise Refused(Reason.ID_TOKEN_MISSING)
        return body

    def _client_auth(self) -> httpx2.Auth:
        identity, secret = self.provider.client_id, self.provider.client_secret
        if self.provider.token_auth_method == "client_secret_basic":  # noqa: S105  a method's name
            # The standard has both form-encoded first (RFC 6749, 2.3.1); Authlib leaves that out.
            identity, secret = quote_plus(identity), quote_plus(secret)
        auth: httpx2.Auth = OAuth2ClientAuth(identity, secret, self.provider.token_auth_method)
        return auth

    async def _identity(
        self, tokens: Mapping[str, object], endpoints: Endpoints, now: datetime, *, pending: Pending | None
    ) -> Identity:
        id_token, access_token = str(tokens["id_token"]), str(tokens["access_token"])
        claims, algorithm = await self._believed(id_token, rules.ID_TOKEN_TYPES, now)
        subject = rules.check_id_token(claims, self.provider, now, pending.nonce if pending else None)
        rules.check_access_token(claims, access_token, algorithm)
        auth_time = rules.signed_in_at(
            claims,
            now,
            started_at=pending.started_at if pending else None,
            max_age=pending.max_age if pending else None,
        )
        said = await self._userinfo(endpoints, access_token, subject)
        everything = {**said, **claims}
        refresh_token = tokens.get("refresh_token")
        return Identity(
            issuer=self.provider.issuer,
            subject=subject,
            name=rules.text_claim(everything, "name"),
            email=rules.email_claim(everything),
            auth_time=auth_time,
            sid=rules.text_claim(claims, "sid"),
            id_token=id_token,
            claims=everything,
            refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        )

    async def _believed(self, token: str, types: tuple[str, ...], now: datetime) -> tuple[Mapping[str, object], str]:
        signed = SignedToken(token, algorithms=self.provider.algorithms, types=types)
        try:
            return signed.claims(await self._published.keys(now)), signed.algorithm
        except Refused as refused:
            if refused.reason not in (Reason.KEY, Reason.SIGNATURE):
                raise
            # The provider may have changed its keys a moment ago, even under the same name.
            keys = await self._published.keys_again(now)
            if keys is None:
                raise
            return signed.claims(keys), signed.algorithm

    async def _userinfo(self, endpoints: Endpoints, access_token: str, subject: str) -> Mapping[str, object]:
        if not self.provider.ask_userinfo or endpoints.userinfo is None:
            return {}
        request = self._http.build_request(
            "GET", endpoints.userinfo, headers={"Authorization": f"Bearer {access_token}"}
        )
        response = await ask(self._http, request)
        said = json_object(response)
        if response.status_code != httpx2.codes.OK or said is None:
            raise Refused(Reason.USERINFO, f"status {response.status_code}")
        if said.get("sub") != subject:
            raise Refused(Reason.USERINFO)
        return said

    @asynccontextmanager
    async def _step(self, kind: type[Refused]) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.provider.patience / timedelta(seconds=1)):
                yield
        except TimeoutError as error:
            raise ProviderUnavailable("no answer in time") from error
        except Refused as refused:
            raise kind(refused.reason, refused.detail) from refused
