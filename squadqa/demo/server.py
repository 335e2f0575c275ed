"""The server of a demo: the page, what it needs to know, and answers, over HTTP.

It is for the person at this machine. It listens on the address that it was given, reads only
requests of bounded size, refuses those that another site's page makes a browser send (by their
headers Host and Origin), and tells a browser nothing of an error but a sentence.
"""

import ipaddress
import json
import socket
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from squadqa import __version__
from squadqa.demo.models import (
    MOST_CHARACTERS,
    MOST_QUESTION_CHARACTERS,
    DemoModel,
    error_values,
)
from squadqa.demo.page import examples, page
from squadqa.errors import ConfigError, SquadQAError

MOST_BYTES = 1_000_000
"""Bytes of a request's body: room for the longest text, each character written as its number."""

MOST_ANSWERS = 20
"""Answers that a request may ask for."""

SECONDS_TO_SEND = 20.0
"""Seconds without a byte of a request, after which its connection is closed."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every response: no other site may show or read it, and no browser keeps it."""


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: The status of the response.
        what: What is wrong with it, for the person in front of the browser.
    """

    def __init__(self, status: HTTPStatus, what: str) -> None:
        super().__init__(what)
        self.status = status


class DemoServer(ThreadingHTTPServer):
    """Serves a demo: `serve_forever` answers requests, each in a thread of its own.

    Args:
        models: The models.
        host: The address or name to listen on.
        port: The port; 0 takes any that is free.
        on_error: Called with an error that is our own, from the thread of its request.

    Raises:
        ConfigError: It cannot listen there.
    """

    daemon_threads = True

    def __init__(
        self,
        models: Sequence[DemoModel],
        *,
        host: str,
        port: int,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.models = models
        self.on_error = on_error
        self._named = host
        try:
            family, _, _, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self.address_family = family
            super().__init__((str(address[0]), port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
            raise ConfigError(
                f'cannot listen on "{host}", port {port}: {reason}',
                next_step="Name an address of this machine by --host; --port 0 takes a free port.",
            ) from error

    @property
    def url(self) -> str:
        """The page's address."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}/"

    def is_own(self, host: str) -> bool:
        """Return whether a request's Host names this machine, by its address or a name of its own.

        A site elsewhere can let its own name point here, and then its pages could read answers. It
        cannot do so by an address.

        Args:
            host: The header's value.
        """
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.server_address[1]:
            return False
        if name in ("localhost", self._named.lower(), socket.gethostname().lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def server_bind(self) -> None:
        """Listen, without the look-up of the machine's name that takes seconds on some networks."""
        super(ThreadingHTTPServer, self).server_bind()  # not HTTPServer's own
        self.server_name, self.server_port = self._named, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error of ours; a browser that went away is none."""
        import sys

        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.on_error(error)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: DemoServer
    protocol_version = "HTTP/1.1"
    timeout = SECONDS_TO_SEND
    disable_nagle_algorithm = True  # else a response waits 40 ms for its own first packet

    def do_GET(self) -> None:
        """Send the page, or what it needs to know."""
        self._respond({"/": self._page, "/api/about": self._about})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Answer a question."""
        self._respond({"/api/answer": self._answer})

    def version_string(self) -> str:
        """Name the program, and no versions."""
        return "squadqa"

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing of requests."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request (called by the base class)."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send_values(status, {"error": {"what": status.phrase, "hint": "", "next_step": ""}})

    def _respond(self, paths: dict[str, Callable[[], None]]) -> None:
        """Do what a path is for, or say why not."""
        try:
            self._require_own()
            path = self.path.partition("?")[0]
            if path not in paths:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"there is nothing at {path[:100]}")
            paths[path]()
        except RefusedError as error:
            # Its body may not have been read, and would be taken for the next request.
            self.close_connection = True
            self._refuse(error.status, {"what": str(error), "hint": "", "next_step": ""})
        except SquadQAError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, error_values(error))
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            self.server.on_error(error)
            said = "this model failed, and the terminal where the demo runs says why"
            self._refuse(
                HTTPStatus.INTERNAL_SERVER_ERROR, {"what": said, "hint": "", "next_step": ""}
            )

    def _require_own(self) -> None:
        """Refuse what another site's page sends through the browser of this machine."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not self.server.is_own(hosts[0]):
            raise RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"open this page as {self.server.url}: it is not served under another name",
            )
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{hosts[0]}":
            raise RefusedError(HTTPStatus.FORBIDDEN, "only the demo's own page may ask")

    def _page(self) -> None:
        found = page()
        policy = {"Content-Security-Policy": found.policy}
        self._send(HTTPStatus.OK, found.html, "text/html; charset=utf-8", policy)

    def _about(self) -> None:
        models = [
            {"name": model.name, "description": model.answerer.description}
            for model in self.server.models
        ]
        values = {
            "version": __version__,
            "models": models,
            "examples": [one.values() for one in examples()],
            "most_characters": MOST_CHARACTERS,
            "most_question_characters": MOST_QUESTION_CHARACTERS,
        }
        self._send_values(HTTPStatus.OK, values)

    def _answer(self) -> None:
        asked = self._body()
        kinds = {"model": int, "context": str, "question": str, "n_best": int}
        if not isinstance(asked, dict) or asked.keys() != kinds.keys():
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"a question is an object of {', '.join(kinds)}"
            )
        for name, kind in kinds.items():
            if type(asked[name]) is not kind:
                raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name} has to be {_KINDS[kind]}")
        number, n_best = asked["model"], asked["n_best"]
        models = self.server.models
        if not 0 <= number < len(models):
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"there are models 0 to {len(models) - 1}")
        if not 1 <= n_best <= MOST_ANSWERS:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"n_best is from 1 to {MOST_ANSWERS}")
        found = models[number].answer(asked["context"], asked["question"], n_best=n_best)
        self._send_values(HTTPStatus.OK, found)

    def _body(self) -> Any:
        """Read the JSON value of a request."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":  # which no other site's form can send
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a question is sent as JSON")
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or "Transfer-Encoding" in self.headers:
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "a question needs its length")
        length = lengths[0].strip()
        if not (length.isascii() and length.isdecimal()):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the question's length is no number")
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"text and question have over {MOST_BYTES:,} bytes: shorten the text",
            )
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError("the browser went away")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the question is not JSON") from error

    def _refuse(self, status: HTTPStatus, error: dict[str, str]) -> None:
        self._send_values(status, {"error": error})

    def _send_values(self, status: HTTPStatus, values: Any) -> None:
        body = json.dumps(values, allow_nan=False).encode()
        self._send(status, body, "application/json", {"Content-Security-Policy": _NOTHING})

    def _send(self, status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **headers, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


_KINDS = {int: "a whole number", str: "a text"}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
