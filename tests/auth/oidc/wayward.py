"""A real identity provider on loopback that can be told to misbehave, one way at a time."""

import base64
import contextlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

import uvicorn
from authlib.oidc.core.util import create_half_hash
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

NOW = datetime(2026, 12, 4, 8, 20, tzinfo=UTC)
CLIENT_ID = "portal"
CLIENT_SECRET = "a secret: with % + and ü"
GONE = object()
"""Put in place of a value to have it left out."""

RSA_ONE = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
RSA_TWO = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
RSA_ONE_AGAIN = RSAKey.import_key(RSA_TWO.as_dict(private=True) | {"kid": "one"})
EC_ONE = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
SHARED = OctKey.import_key(CLIENT_SECRET)


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def half_hash(text: str, algorithm: str) -> object:
    return GONE if algorithm == "none" else create_half_hash(text, algorithm).decode()


def changed(original: dict[str, object], changes: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**original, **changes}.items() if value is not GONE}


@dataclass
class Orders:
    """How to behave until told otherwise."""

    now: datetime = NOW
    header: dict[str, object] = field(default_factory=dict)
    claims: dict[str, object] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: RSAKey | ECKey = field(default_factory=lambda: RSA_ONE)
    secret: bytes = CLIENT_SECRET.encode()
    published: list[RSAKey | ECKey | OctKey] = field(default_factory=lambda: [RSA_ONE])
    published_without_kid: bool = False
    spoiled: bool = False
    answer: dict[str, object] = field(default_factory=dict)
    tokens: dict[str, object] = field(default_factory=dict)
    token_status: int = 200
    userinfo: dict[str, object] = field(default_factory=dict)
    metadata: dict[str, object] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    broken: dict[str, Response] = field(default_factory=dict)
    before_signing: Callable[["Orders"], None] | None = None


class WaywardProvider:
    def __init__(self) -> None:
        self.orders = Orders()
        self.nonces: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str], str]] = []
        self.stopping = threading.Event()
        self.issuer = ""
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    def behave(self) -> None:
        self.orders = Orders()
        self.seen.clear()

    def asked(self, path: str) -> int:
        return sum(1 for seen, _, _ in self.seen if seen == path)

    async def _note(self, request: Request) -> Response | None:
        path = request.url.path
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
        self.seen.append((path, form, request.headers.get("authorization", "")))
        if path in self.orders.silent:
            await run_in_threadpool(self.stopping.wait, 5)
        return self.orders.broken.get(path)

    async def _metadata(self, request: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout?tenant=a",
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
        }
        return await self._note(request) or JSONResponse(changed(document, self.orders.metadata))

    async def _keys(self, request: Request) -> Response:
        keys = [key.as_dict(private=False) for key in self.orders.published if not isinstance(key, OctKey)]
        keys += [key.as_dict(private=True) for key in self.orders.published if isinstance(key, OctKey)]
        if self.orders.published_without_kid:
            for key in keys:
                key.pop("kid")
        return await self._note(request) or JSONResponse({"keys": keys})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        code = f"code-{len(self.nonces)}"
        self.nonces[code] = asked["nonce"]
        answer = changed({"code": code, "state": asked["state"]}, self.orders.answer)
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def _token(self, request: Request) -> Response:
        broken = await self._note(request)
        form = self.seen[-1][1]
        if self.orders.before_signing:
            self.orders.before_signing(self.orders)
        access_token = "an-access-token"
        claims = {
            "nonce": self.nonces.get(form.get("code", "")),
            "at_hash": half_hash(access_token, self.orders.algorithm),
            "auth_time": self.orders.now.timestamp(),
            "sid": "session-1",
        }
        body = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": "a-refresh-token",
            "id_token": self.signed(claims),
        }
        return broken or JSONResponse(changed(body, self.orders.tokens), self.orders.token_status)

    async def _userinfo(self, request: Request) -> Response:
        said = {"sub": "official-a", "name": "เจ้าหน้าที่ผู้ใช้บริการ", "email": "official-a@agency-a.example"}
        return await self._note(request) or JSONResponse(changed(said, self.orders.userinfo))

    def signed(self, claims: dict[str, object]) -> str:
        """A token with `claims` on top of the usual ones and the orders on top of both."""
        orders, now = self.orders, self.orders.now
        usual: dict[str, object] = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "official-a",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
        }
        payload = changed({**usual, **claims}, orders.claims)
        header = changed({"alg": orders.algorithm, "kid": orders.key.kid or GONE}, orders.header)
        if orders.algorithm == "none":
            return f"{b64(header)}.{b64(payload)}."
        if orders.algorithm == "HS256":
            signed = f"{b64(header)}.{b64(payload)}"
            return f"{signed}.{b64(hmac.digest(orders.secret, signed.encode(), 'sha256'))}"
        registry = jws.JWSRegistry(algorithms=[orders.algorithm], strict_check_header=False)
        token = jws.serialize_compact(header, json.dumps(payload), orders.key, registry=registry)
        if orders.spoiled:
            head, body, signature = token.split(".")
            token = f"{head}.{body}.{signature[:-8]}{'AAAAAAAA' if not signature.endswith('AAAAAAAA') else 'BBBBBBBB'}"
        return token

    def logout_token(self, claims: dict[str, object] | None = None) -> str:
        usual: dict[str, object] = {
            "jti": "notice-1",
            "sid": "session-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        return self.signed({**usual, **(claims or {})})


@contextlib.contextmanager
def serving() -> Iterator[WaywardProvider]:
    provider = WaywardProvider()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(provider.app, log_level="warning", lifespan="off", ws="none", http="h11")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield provider
        finally:
            provider.stopping.set()
            server.should_exit = True
            thread.join(10)
