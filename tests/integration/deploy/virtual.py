"""The embedded AWS without sockets, on a clock that passes at once: throttled, and with calls that fail at random."""

import io
import json
import random
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from optimizer.deploy import BotoAws, Clients, Connection
from optimizer.local import operations
from optimizer.local.http import Front
from optimizer.local.service import AccessLog, Lambda, Settings
from optimizer.local.services import Services
from optimizer.local.state import State
from optimizer.local.telemetry import Telemetry
from optimizer.runtime import Invocation

del operations  # imported for what it enters into the service's table

ADDRESS = "http://127.0.0.1:1"
SAID = {"statusCode": 200, "body": "{}"}
ERRORS = {
    "iam": "<ErrorResponse><Error><Code>{code}</Code><Message>x</Message></Error></ErrorResponse>",
    "s3": "<Error><Code>{code}</Code><Message>x</Message></Error>",
}


class VirtualClock:
    """Time that passes at once, the same for all threads."""

    def __init__(self):
        self.seconds, self.lock = 0.0, threading.Lock()

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        with self.lock:
            self.seconds += seconds


class Answering:
    """In place of environments: every version answers well."""

    def invoke(self, *_, **__):
        said = json.dumps(SAID).encode()
        return Invocation(payload=said, error=None, log="", init_ms=None, duration_ms=1, max_memory_mb=1, cold=False)

    def unpack(self, _archive):
        """Nothing runs, so nothing is needed."""

    def close(self, _arn):
        """There are none."""


class Addresses:
    """In place of listeners."""

    def open(self, identifier, *_):
        return f"https://{identifier}.lambda-url.example/"

    def close(self, _identifier):
        """There are none."""

    def by_host(self, *_):
        return None


class Bad:
    """How calls fare: `per_second` of them are taken, and a share `failing` of those fails in one of several ways.

    Throttled and refused calls have no effect; a lost answer had it.
    """

    def __init__(self, clock, chance, *, per_second=None, failing=0.0):
        self.clock, self.chance, self.per_second, self.failing = clock, chance, per_second, failing
        self.taken, self.lock, self.told = -10.0, threading.Lock(), {}

    def trouble(self):
        """None, or a status and an error code, or "lost"."""
        with self.lock:
            now = self.clock.now()
            if self.per_second is not None and now < self.taken + 1 / self.per_second:
                return self._told("throttled", (429, "TooManyRequestsException"))
            self.taken = now
            if self.chance.random() >= self.failing:
                return None
            return self._told(
                *self.chance.choice(
                    [
                        ("throttled", (429, "TooManyRequestsException")),
                        ("failed", (500, "ServiceException")),
                        ("unavailable", (503, "ServiceUnavailableException")),
                        ("lost", "lost"),
                        ("lost", "lost"),
                    ]
                )
            )

    def _told(self, kind, trouble):
        self.told[kind] = self.told.get(kind, 0) + 1
        return trouble


class VirtualAws:
    """The embedded AWS's own front, called as botocore would send it a request."""

    def __init__(self, folder):
        telemetry = Telemetry()
        self.services = Services(telemetry)
        lam = Lambda(
            state=State(folder),
            services=self.services,
            environments=Answering(),
            listeners=Addresses(),
            settings=Settings(update_seconds=0.0),
            endpoint_url=ADDRESS,
        )
        self.front = Front(lam, AccessLog())
        self.clock = VirtualClock()
        self.clients = Wired(connection=Connection(endpoint_url=ADDRESS, local=True), clock=self.clock)
        self.clients.aws = self  # clients are made once, and fare from run to run as `bad` says

    def send(self, request, service, bad):
        """Answer one request, or let it fail."""
        trouble = bad.trouble()
        if trouble is None or trouble == "lost":
            answer = self._answer(request)
            if trouble == "lost":
                raise ConnectionClosedError(endpoint_url=request.url)
            return answer
        status, code = trouble
        body = ERRORS.get(service, '{{"message": "x"}}').format(code=code).encode()
        return Whole(request.url, status, {"x-amzn-errortype": code, "Content-Type": "application/json"}, body)

    def _answer(self, request):
        address = urlsplit(request.url)
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        body = body.encode() if isinstance(body, str) else body
        headers = {
            key: value.decode() if isinstance(value, bytes) else str(value) for key, value in request.headers.items()
        }
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": address.path,
            "RAW_URI": f"{address.path}?{address.query}",
            "REQUEST_URI": f"{address.path}?{address.query}",
            "QUERY_STRING": address.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "embedded.headers": list(headers.items()),
            "moto.preserved_header_names": {},
            "HTTP_HOST": "127.0.0.1:1",
            **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()},
        }
        head = []
        content = b"".join(self.front(environ, lambda status, told, _=None: head.append((status, told))))
        status, told = head[-1]
        return Whole(request.url, int(status.split()[0]), dict(told), content)


class Whole(AWSResponse):
    """An answer that is there already."""

    def __init__(self, url, status, headers, content):
        super().__init__(url, status, {key.lower(): value for key, value in headers.items()}, Raw(content))


class Raw(io.BytesIO):
    """Its body, as urllib3 gives it."""

    def stream(self, *_, **__):
        while chunk := self.read(1 << 16):
            yield chunk


class Wired(Clients):
    """Clients whose requests go to a VirtualAws."""

    def _make(self, service, region, *, once):
        client = super()._make(service, region, once=once)
        client.meta.events.register_last("before-send", lambda request, **_: self.aws.send(request, service, self.bad))
        return client


@contextmanager
def virtual_aws(folder):
    """One for the time of the block."""
    aws = VirtualAws(folder)
    try:
        yield aws
    finally:
        aws.services.close()


def run(aws, deployer_of, *, seed, per_second=None, failing=0.0):
    """What becomes of a deploy whose calls fare so, its seconds on the virtual clock, the troubles, and its calls."""
    clock, clients = aws.clock, aws.clients
    began = clock.now()
    clients.bad = Bad(clock, random.Random(seed), per_second=per_second, failing=failing)
    clients.calls.clear()
    deployer = deployer_of(lambda region: BotoAws(region=region, clients=clients, clock=clock), clock)
    planned = deployer.plan()
    done = planned if any(one.error for one in planned) else deployer.execute(planned)
    return done, clock.now() - began, clients.bad.told, clients.calls
