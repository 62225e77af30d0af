"""HTTP/1.1 as the embedded AWS speaks it: connections stay open, each request begins where the last one ended."""

import http.client
import socket
import threading

import pytest

from optimizer.local.requests import read_request
from optimizer.local.serving import Server

MOST = 1000


class Application:
    """Answers with what the path asks for, or with the request's body; `bodies` are those that arrived whole."""

    def __init__(self):
        self.bodies = []

    def __call__(self, environ, start):
        path = environ["PATH_INFO"]
        if path == "/unread":
            return reply(start, b"unread")
        if path == "/drop":
            raise ConnectionAbortedError
        if path == "/fault":
            raise ValueError(path)
        if path.startswith("/status/"):
            start(f"{path[8:]} Phrase", [("Content-Length", "4")])
            return [b"body"]
        if path == "/pieces":
            start("200 OK", [])
            return iter([b"one", b"", b"two"])
        if path == "/short":
            start("200 OK", [("Content-Length", "9")])
            return [b"short"]
        body = read_request(environ, most=MOST).body
        self.bodies.append(body)
        if len(body) > MOST:
            return reply(start, b"too long", "413 Too Long")
        return reply(start, environ["REQUEST_METHOD"].encode() + b" " + body)


def reply(start, body, status="200 OK"):
    """An answer of known length."""
    start(status, [("Content-Length", str(len(body))), ("Connection", "close")])  # which is not the application's
    return [body]


@pytest.fixture
def application():
    """What is served."""
    return Application()


@pytest.fixture
def server(application):
    """A server in a thread."""
    running = Server(application)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()


@pytest.fixture
def wire(server):
    """A connection, as a socket and as a file."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as sock, sock.makefile("rb") as file:
        yield sock, file


def answer(file, method="GET"):
    """The next answer on the connection: status, headers, body."""
    status = int(file.readline().split()[1])
    headers = http.client.parse_headers(file)
    if method == "HEAD":
        return status, headers, b""
    if headers["transfer-encoding"] is None:
        return status, headers, file.read(int(headers["content-length"]))
    pieces = []
    while size := int(file.readline(), 16):
        pieces.append(file.read(size))
        file.readline()
    file.readline()
    return status, headers, b"".join(pieces)


def ask(wire, text, method="GET"):
    """Send bytes, and read an answer."""
    wire[0].sendall(text)
    return answer(wire[1], method)


def closed(file):
    """Whether the server has closed the connection."""
    return file.read(1) == b""


def test_two_requests_go_over_one_connection(wire):
    for body in (b"first", b"second"):
        text = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        status, headers, data = ask(wire, text)
        assert (status, headers["connection"], data) == (200, None, b"POST " + body)


def test_requests_that_are_sent_at_once_are_answered_in_turn(wire):
    wire[0].sendall(
        b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /"
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert [answer(wire[1])[2] for _ in range(3)] == [b"unread", b"POST abc", b"GET "]


def test_a_head_request_gets_no_body_and_the_next_answer_follows(wire):
    status, headers, _ = ask(wire, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD")
    assert (status, headers["content-length"]) == (200, "5")
    assert ask(wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[2] == b"GET "


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, "4")])
def test_answers_that_have_no_body_get_none(wire, status, length):
    wire[0].sendall(b"GET /status/%d HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" % status)
    head = b"".join(iter(wire[1].readline, b"\r\n")).decode()
    assert head.startswith(f"HTTP/1.1 {status} Phrase")
    assert ("content-length: 4" in head.lower()) is (length is not None)
    assert answer(wire[1])[2] == b"GET "


def test_a_chunked_body_is_read_to_its_end(wire):
    text = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert ask(wire, text)[2] == b"POST abcde"
    assert ask(wire, text)[2] == b"POST abcde"


def test_what_is_no_chunk_is_a_400_that_closes(wire):
    text = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n"
    status, headers, _ = ask(wire, text)
    assert (status, headers["connection"], closed(wire[1])) == (400, "close", True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        (b"Content-Length: -1\r\n", 400),
        (b"Content-Length: +1\r\n", 400),
        (b"Transfer-Encoding: gzip, chunked\r\n", 501),
    ],
)
def test_a_body_whose_end_cant_be_told_closes_the_connection(wire, application, headers, status):
    found, given, _ = ask(wire, b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
    assert (found, given["connection"], closed(wire[1]), application.bodies) == (status, "close", True, [])


def test_a_length_beside_chunks_is_not_believed(wire):
    text = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    _, headers, data = ask(wire, text)
    assert (headers["connection"], data, closed(wire[1])) == ("close", b"POST a", True)


def test_a_client_that_waits_is_told_once_to_send_its_body(wire):
    wire[0].sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert [wire[1].readline() for _ in range(2)] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
    wire[0].sendall(b"abc")
    assert wire[1].readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("chunked", [False, True])
def test_too_long_a_body_is_refused_after_its_first_bytes_and_the_connection_stays(wire, application, chunked):
    body = bytes(300_000)
    framing, sent = (
        (b"Transfer-Encoding: chunked", b"493e0\r\n%b\r\n0\r\n\r\n" % body)
        if chunked
        else (b"Content-Length: 300000", body)
    )
    assert ask(wire, b"POST / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n%b" % (framing, sent))[::2] == (413, b"too long")
    assert [len(body) for body in application.bodies] == [MOST + 1]
    assert ask(wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[2] == b"GET "


@pytest.mark.parametrize("text", [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc"])
def test_half_a_body_reaches_nobody(wire, application, text):
    wire[0].sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + text)
    wire[0].shutdown(socket.SHUT_WR)
    assert not wire[1].read().startswith(b"HTTP/1.1 200")
    assert application.bodies == []


def test_a_client_that_closes_does_not_keep_others_from_being_served(server, wire):
    for text in (b"", b"GET", b"GET / HTTP/1.1\r\nHo", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.server_port)) as other:
            other.sendall(text)
    assert ask(wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200


def test_who_asks_to_close_and_who_speaks_http_1_0_is_closed(server):
    for text in (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as sock:
            sock.sendall(text)
            with sock.makefile("rb") as file:
                _, headers, data = answer(file)
                assert (headers["connection"], data, closed(file)) == ("close", b"GET ", True)


def test_an_answer_of_unknown_length_comes_in_chunks(wire, server):
    _, headers, data = ask(wire, b"GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (headers["transfer-encoding"], data) == ("chunked", b"onetwo")
    assert ask(wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[2] == b"GET "
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as sock, sock.makefile("rb") as file:
        sock.sendall(b"GET /pieces HTTP/1.0\r\n\r\n")
        assert file.read().endswith(b"\r\n\r\nonetwo")


def test_an_answer_that_is_shorter_than_it_said_ends_with_the_connection(wire):
    wire[0].sendall(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
    assert wire[1].read().endswith(b"\r\n\r\nshort")


def test_an_application_may_give_no_answer(wire):
    wire[0].sendall(b"GET /drop HTTP/1.1\r\nHost: x\r\n\r\n")
    assert closed(wire[1])


def test_a_fault_of_the_application_is_a_500_and_is_told(wire, caplog):
    status, headers, _ = ask(wire, b"GET /fault HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, headers["connection"], closed(wire[1])) == (500, "close", True)
    assert "ValueError: /fault" in caplog.text


def test_idle_connections_end_with_the_server(server, wire):
    ask(wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    server.shutdown()
    assert closed(wire[1])


def test_a_server_that_ended_takes_no_connection_while_a_starting_process_still_has_its_socket(server):
    with socket.socket(fileno=socket.dup(server.fileno())):
        server.shutdown()
        server.server_close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.server_port))
