"""The servers of the mail tests: Debian's Dovecot for reading, aiosmtpd for sending, an HTTP server in LINE's place."""

import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

_RECEIVED = '"04-Mar-2026 15:20:00 +0700"'
SECRET = "mailbox-secret-of-the-tests"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = {uid}
mail_uid = {uid}
mail_gid = {gid}
passdb {{
  driver = static
  args = password={secret}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
{users}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Imap:
    """A mail server to be read."""

    port: int

    def deliver(self, user: str, raw: bytes, flags: str = "") -> None:
        """Put a mail into somebody's mailbox, as received at 15:20 in Bangkok on 4 March 2026."""
        with self._signed_in(user) as box:
            assert box.append("INBOX", flags, _RECEIVED, raw)[0] == "OK"

    def flags(self, user: str) -> list[bytes]:
        """Return what each mail of somebody's is marked with."""
        with self._signed_in(user) as box:
            box.select("INBOX", readonly=True)
            return [line for line in box.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]

    def begin_anew(self, user: str) -> None:
        """Make the mailbox anew with the same mails in it, all unread: its UIDs mean nothing any more."""
        with self._signed_in(user) as box:
            box.select("INBOX")
            found = box.fetch("1:*", "(BODY.PEEK[])")[1]
            box.store("1:*", "+FLAGS", r"(\Deleted)")
            box.expunge()
            for each in found:
                if isinstance(each, tuple):
                    box.append("INBOX", "", _RECEIVED, each[1])

    @contextmanager
    def _signed_in(self, user: str) -> Iterator[imaplib.IMAP4]:
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        box.login(user, SECRET)
        try:
            yield box
        finally:
            box.logout()


@contextmanager
def dovecot() -> Iterator[Imap]:
    """Run Dovecot with a configuration of its own, as whoever runs the tests; skip where it is not installed."""
    binary = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if binary is None:
        absent = "Dovecot is not installed (Debian, Ubuntu: apt install dovecot-imapd)"
        if os.environ.get("PORTAL_TEST_NO_SKIP"):
            pytest.fail(absent)
        pytest.skip(absent)
    is_root = os.geteuid() == 0
    owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
    name, group = owner.pw_name, grp.getgrgid(owner.pw_gid).gr_name
    # As root, the package's own users do the work; anybody else does all of it alone.
    users = "" if is_root else f"default_internal_user = {name}\ndefault_login_user = {name}\n"
    users += "" if is_root else f"default_internal_group = {group}\n"
    # Not among pytest's own folders, which are shut to every other user.
    folder = Path(tempfile.mkdtemp(prefix="portal-dovecot-"))
    (folder / "mail").mkdir()
    if is_root:
        os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
        folder.chmod(0o711)
    port = _free_port()
    config = folder / "dovecot.conf"
    config.write_text(
        _CONFIG.format(folder=folder, uid=owner.pw_uid, gid=owner.pw_gid, port=port, secret=SECRET, users=users)
    )
    server = subprocess.Popen([binary, "-F", "-c", str(config)], stderr=subprocess.PIPE)
    try:
        _wait_for(port, server, folder / "log")
        yield Imap(port)
    finally:
        server.terminate()
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            said = server.stderr.read() if server.stderr else b""
            pytest.fail(f"Dovecot ended: {said!r} {log.read_text() if log.exists() else ''}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("Dovecot does not answer")


@dataclass
class Post:
    """What was sent by mail; refuses recipients as told."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 taken"


@contextmanager
def smtp() -> Iterator[Post]:
    """Run a mail server that keeps what it is sent."""
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=_free_port())
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


@dataclass
class Line:
    """LINE's side: what was posted to it, and the files it keeps by id; answers as told, else 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def line_platform() -> Iterator[Line]:
    """Listen in LINE's place."""
    line = Line()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            line.posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self._answer(line.answers.pop(0) if line.answers else 200, b"{}")

        def do_GET(self) -> None:
            line.posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, b""))
            content = line.contents.get(self.path.split("/")[-2])
            status = line.answers.pop(0) if line.answers else 200 if content is not None else 404
            self._answer(status, content or b"")

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    line.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield line
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
