"""The server of a demo: answers, limits, and what it refuses."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from squadqa.demo.models import MOST_CHARACTERS, make_models
from squadqa.demo.page import examples
from squadqa.demo.server import HEADERS, MOST_ANSWERS, MOST_BYTES, DemoServer
from squadqa.errors import ConfigError
from tests.support.scripted import ScriptedAnswerer

CONTEXT = "Ida Moss — 🥐 — kept the light."
QUESTION: dict[str, Any] = {"model": 0, "context": CONTEXT, "question": "Who?", "n_best": 5}
JSON = {"Content-Type": "application/json"}


def choose(question: str) -> list[tuple[int, float]]:
    if question == "bug":
        raise RuntimeError("a secret of the program")
    return [(3, 0.75), (0, 0.25)]


@pytest.fixture
def errors() -> list[BaseException]:
    return []


@pytest.fixture
def server(errors: list[BaseException]) -> Iterator[DemoServer]:
    models = make_models([("runs/one", ScriptedAnswerer(choose))])
    with DemoServer(models, host="127.0.0.1", port=0, on_error=errors.append) as made:
        thread = threading.Thread(target=made.serve_forever, args=[0.01])
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


class Replied:
    """A response: its status, headers and body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def values(self) -> Any:
        return json.loads(self.body)

    @property
    def what(self) -> str:
        return str(self.values["error"]["what"])


def request(
    server: DemoServer, method: str, path: str, body: Any = None, **headers: str
) -> Replied:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)  # type: ignore[arg-type]
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, data, {**(JSON if body is not None else {}), **named})
    replied = Replied(connection.getresponse())
    connection.close()
    return replied


def test_the_page(server: DemoServer) -> None:
    replied = request(server, "GET", "/")
    assert replied.status == 200
    assert replied.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<title>squadqa demo</title>" in replied.body
    policy = replied.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    for name, value in HEADERS.items():
        assert replied.headers[name] == value
    assert replied.headers["Server"] == "squadqa"
    head = request(server, "HEAD", "/?from=mail")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(replied.body))


def test_what_the_page_needs_to_know(server: DemoServer) -> None:
    about = request(server, "GET", "/api/about").values
    assert about["models"] == [{"name": "one", "description": "made up"}]
    assert [one["title"] for one in about["examples"]] == [one.title for one in examples()]
    assert about["most_characters"] == MOST_CHARACTERS


def test_an_answer(server: DemoServer) -> None:
    replied = request(server, "POST", "/api/answer", QUESTION)
    assert replied.status == 200
    found = replied.values
    assert [one["text"] for one in found["answers"]] == ["🥐", "Ida"]
    for one in found["answers"]:  # code points, as Python counts
        assert CONTEXT[one["start"] : one["end"]] == one["text"]
    assert found["tokens"][3] == [11, 12]
    assert found["start"] == found["end"] == [0.25, 0, 0, 0.75, 0, 0, 0, 0]
    assert (found["abstains"], found["no_answer"]) == (False, None)
    assert found["milliseconds"] >= 0


def test_a_connection_is_kept(server: DemoServer) -> None:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)  # type: ignore[arg-type]
    connection.connect()
    sock = connection.sock
    for _ in range(3):
        connection.request("POST", "/api/answer", json.dumps(QUESTION), JSON)
        assert connection.getresponse().read()
        assert connection.sock is sock
    connection.close()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"model": 1}, "there are models 0 to 0"),
        ({"model": -1}, "there are models 0 to 0"),
        ({"model": True}, "model has to be a whole number"),
        ({"n_best": 0}, f"n_best is from 1 to {MOST_ANSWERS}"),
        ({"n_best": MOST_ANSWERS + 1}, f"n_best is from 1 to {MOST_ANSWERS}"),
        ({"context": None}, "context has to be a text"),
        ({"context": " \n"}, "the context is empty: ' \\n'"),
        ({"question": ""}, "the question is empty: ''"),
        ({"question": "\ud800"}, "the question has half a surrogate pair"),
        ({"question": "?" * 1001}, "the question has 1,001 characters, and 1,000 is the most"),
        ({"context": "a" * 50_001}, "the text has 50,001 characters, and 50,000 is the most"),
        ({"more": 1}, "a question is an object of model, context, question, n_best"),
    ],
)
def test_questions_that_are_refused(
    change: dict[str, Any], what: str, server: DemoServer, errors: list[BaseException]
) -> None:
    replied = request(server, "POST", "/api/answer", {**QUESTION, **change})
    assert replied.status == 400
    assert replied.what.startswith(what)
    assert not errors


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"[]", {}, 400),
        (b"\xff", {}, 400),
        (b"1" * 10_000, {}, 400),
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"", {"Content_Length": str(MOST_BYTES + 1)}, 413),
        (b"", {"Content_Length": "9" * 5_000}, 413),
        (b"", {"Content_Length": "-1"}, 400),
        (b"{}", {"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_bodies_that_are_refused(
    body: bytes,
    headers: dict[str, str],
    status: int,
    server: DemoServer,
    errors: list[BaseException],
) -> None:
    replied = request(server, "POST", "/api/answer", body, **headers)
    assert replied.status == status
    assert replied.headers["Connection"] == "close"
    assert replied.what
    assert not errors


def test_other_paths_and_methods(server: DemoServer) -> None:
    for method, path, status in (
        ("GET", "/api/answer", 404),
        ("POST", "/", 404),
        ("GET", "/../setup.cfg", 404),
        ("GET", "/page.js", 404),
        ("PUT", "/", 501),
        ("OPTIONS", "/api/answer", 501),
    ):
        replied = request(server, method, path)
        assert replied.status == status
        assert replied.headers["Content-Type"] == "application/json"
        assert "Access-Control-Allow-Origin" not in replied.headers
        assert replied.what


def test_a_bug_is_reported_here_and_not_to_the_browser(
    server: DemoServer, errors: list[BaseException]
) -> None:
    replied = request(server, "POST", "/api/answer", {**QUESTION, "question": "bug"})
    assert replied.status == 500
    assert b"secret" not in replied.body and b"Traceback" not in replied.body
    assert replied.what == "this model failed, and the terminal where the demo runs says why"
    assert [str(error) for error in errors] == ["a secret of the program"]
    assert request(server, "POST", "/api/answer", QUESTION).status == 200


@pytest.mark.parametrize("path", ["/", "/api/about", "/api/answer"])
def test_a_page_of_another_site_reaches_nothing(path: str, server: DemoServer) -> None:
    """A site may let its own name point to this machine, or send requests from its pages."""
    port = server.server_address[1]
    method, body = ("POST", QUESTION) if path == "/api/answer" else ("GET", None)
    for host in (f"evil.example:{port}", "evil.example", "localhost", f"127.0.0.1.evil:{port}", ""):
        replied = request(server, method, path, body, Host=host)
        assert replied.status == 421, host
        assert replied.what.startswith(f"open this page as {server.url}")
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", f"LOCALHOST:{port}"):
        assert request(server, method, path, body, Host=host).status == 200
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}"):
        assert request(server, method, path, body, Origin=origin).status == 403
    own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
    assert request(server, method, path, body, **own).status == 200


def test_a_request_without_or_with_two_hosts(server: DemoServer) -> None:
    port = server.server_address[1]
    for hosts in ("", f"Host: localhost:{port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(server.server_address[:2], timeout=20) as sock:
            sock.sendall(f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 421 ")


def test_what_is_no_request(server: DemoServer, errors: list[BaseException]) -> None:
    for sent in (b"\x16\x03\x01\x02\n\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 70_000):
        with socket.create_connection(server.server_address[:2], timeout=20) as sock:
            sock.sendall(sent + b"\r\n")
            sock.shutdown(socket.SHUT_WR)
            while reply := sock.recv(10_000):
                assert b"<" not in reply
    with socket.create_connection(server.server_address[:2], timeout=20) as sock:
        sock.sendall(b"POST /api/answer HTTP/1.1\r\nContent-Le")  # and goes away
    assert request(server, "GET", "/").status == 200
    assert not errors


def test_a_port_that_is_taken(server: DemoServer) -> None:
    port = server.server_address[1]
    with pytest.raises(ConfigError, match=f'cannot listen on "127.0.0.1", port {port}: '):
        DemoServer([], host="127.0.0.1", port=port, on_error=print)
    with pytest.raises(ConfigError, match='cannot listen on "no such name", port 0: '):
        DemoServer([], host="no such name", port=0, on_error=print)
