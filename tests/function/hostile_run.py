"""Hostile pictures through the handler, in a process of its own whose memory is measured, in front of a local AWS."""

import base64
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
KINDS = ("colors", "labels", "comprehensive", "upload")
MOST_BYTES, MOST_SECONDS = 512 * 1024 * 1024, 5.0


@dataclass(slots=True)
class Aws:
    """Rekognition and S3 as far as they are asked.

    Attributes:
        objects: What lies in S3, by key.
        sent: What Rekognition was sent since `ask` began the request: bytes, or the object's.
        readable: Whether Rekognition can read the picture; what is hostile it can't.
    """

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    readable: bool = True

    def detect(self, image: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Rekognition's answer."""
        inline = "Bytes" in image
        data = base64.b64decode(image["Bytes"]) if inline else self.objects[image["S3Object"]["Name"]]
        self.sent.append(data)
        if len(data) > (5_242_880 if inline else 15_728_640):
            return 400, {"__type": "ImageTooLargeException", "Message": "too large"}
        if not self.readable or not data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
            return 400, {"__type": "InvalidImageFormatException", "Message": "no JPEG or PNG"}
        return 200, {"Labels": [], "TextDetections": [], "FaceDetails": [], "ModerationLabels": []}


@contextmanager
def aws() -> Iterator[Aws]:
    """An AWS at a port of this machine."""
    fake = Aws()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, body = fake.detect(asked["Image"])
            self.answer(status, json.dumps(body).encode())

        def do_PUT(self) -> None:
            fake.stored.append(self.rfile.read(int(self.headers["content-length"])))
            self.answer(200, b"")

        def do_GET(self) -> None:
            data = fake.objects.get(self.path.partition("?")[0].rpartition("/")[2])
            self.answer(404 if data is None else 200, data or b"<Error><Code>NoSuchKey</Code></Error>")

        do_HEAD = do_GET  # noqa: N815  # the name that http.server calls

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a request.

    Attributes:
        seconds: Of the processor, all threads together; on a machine that has other work, a clock would tell of that.
        peak: Most bytes of memory that the process had by then.
        sent: What Rekognition got.
        stored: What S3 got.
    """

    status: int
    body: dict[str, Any]
    seconds: float
    peak: int
    sent: bytes | None
    stored: bytes | None

    @property
    def code(self) -> str:
        """The problem's, or nothing."""
        return str(self.body.get("code", ""))


class Function:
    """The function in a process of its own, as fresh as Lambda's."""

    def __init__(self, fake: Aws, folder: Path) -> None:
        self._aws, self._file = fake, folder / "picture"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANALYZER_"))},
            "PYTHONPATH": str(ROOT / "function"),
            "AWS_ENDPOINT_URL": fake.url,
            "AWS_REGION": "ap-southeast-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "ANALYZER_STORE_BUCKET": "kept",
            "ANALYZER_LOG_LEVEL": "ERROR",
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, kind: str, data: bytes, *, s3: bool = False, readable: bool = True) -> Outcome:
        """Send a picture and wait for the answer.

        Raises:
            RuntimeError: The process ended, as it does for want of memory.
        """
        self._aws.sent.clear()
        self._aws.stored.clear()
        self._aws.readable = readable
        self._aws.objects = {"hostile": data} if s3 else {}
        self._file.write_bytes(data)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"kind": kind, "path": str(self._file), "s3": s3}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the function's process ended with {self._process.wait()}")
        return Outcome(
            **json.loads(line),
            sent=self._aws.sent[-1] if self._aws.sent else None,
            stored=self._aws.stored[-1] if self._aws.stored else None,
        )


def peak() -> int:
    """Most bytes that this process had in memory: `ru_maxrss`, on Linux without what it was forked from."""
    import resource

    if sys.platform == "linux":
        # An exec keeps the parent's ru_maxrss (the kernel's exec_mmap); the mark of the new memory is VmHWM.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes


def main(lines: Sequence[str] | io.TextIOBase) -> None:
    """Answer each line of requests with one of outcomes."""
    import lambda_function

    for line in lines:
        asked = json.loads(line)
        image = base64.b64encode(Path(asked["path"]).read_bytes()).decode()
        path = "/api/v1/upload" if asked["kind"] == "upload" else "/api/v1/analyze"
        body: dict[str, Any] = {"bucket": "pictures", "key": "hostile"} if asked["s3"] else {"image": image}
        if asked["kind"] != "upload":
            body |= {"analysis_type": asked["kind"], "keep": False}
        http_part = {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "x"}
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "x.lambda-url.ap-southeast-1.on.aws", "content-type": "application/json"},
            "requestContext": {"stage": "$default", "domainName": "x", "http": http_part},
            "isBase64Encoded": False,
            "body": json.dumps(body),
        }
        del image, body
        began = time.process_time()
        answer = lambda_function.handler(event, None)
        seconds = time.process_time() - began
        outcome = {"status": answer["statusCode"], "body": json.loads(answer["body"])}
        sys.stdout.write(json.dumps({**outcome, "seconds": seconds, "peak": peak()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.stdin)
