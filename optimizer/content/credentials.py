"""What a credential looks like: file names, private keys, and the tokens that services give out; never shows one.

A table of our own: the libraries for this are made for repositories. detect-secrets 1.5.0 needs requests and PyYAML,
takes more than 4 s for botocore's 43 modules, and finds secrets by entropy and by words such as `password`: six in
those modules, none of which is one. A refusal needs patterns that are nearly always right: these find in 889 published
wheels nothing but keys for tests.

Each pattern is that of the service's documentation, or of gitleaks' rule (its config/gitleaks.toml) of the same name.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from optimizer.inventory.uses import is_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that is secret: `what` it is, and the line, 0 where it is the whole file. The secret is not in it."""

    what: str
    line: int


@dataclass(frozen=True, slots=True)
class _Token:
    """A pattern, whose group 1 is the secret; it matches around one of the `words` alone, which are found quickly."""

    what: str
    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


def _token(what: str, words: str, pattern: str) -> _Token:
    return _Token(what, tuple(word.encode() for word in words.split()), re.compile(pattern.encode()))


_BEFORE, _AFTER = 160, 1200
"""How far a pattern reaches from its word."""
_START = r"(?<![A-Za-z0-9_/+-])"
_END = r"(?![A-Za-z0-9_/+=-])"
_TOKENS = (
    # IAM: "Unique identifiers"; gitleaks aws-access-token: what follows the prefix is base32
    _token("an AWS access key id", "AKIA ASIA", _START + r"((?:AKIA|ASIA)[A-Z2-7]{16})" + _END),
    # IAM: 40 characters of base64; known by the name that it is given, as in a credentials file or a keyword argument
    _token(
        "an AWS secret access key",
        "SECRET ecret",
        r"(?i:aws|secret)[\w.-]{0,30}(?i:key|secret)\w{0,10}[\"'\])]{0,3}(?:\s{0,3}:\s{0,3}\w{1,12})?\s{0,3}(?::=|=>|[:=,])"
        r"\s{0,3}[brBR]?[\"']?([A-Za-z0-9/+]{40})" + _END,
    ),
    # GitHub: "About authentication to GitHub", token formats; gitleaks github-pat and its siblings
    _token("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", _START + r"(gh[pousr]_[A-Za-z0-9]{36,255})" + _END),
    _token("a GitHub token", "github_pat_", _START + r"(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})" + _END),
    # GitLab: "Token overview", prefixes; gitleaks gitlab-pat, gitlab-deploy-token, gitlab-ptt, gitlab-rrt
    _token("a GitLab token", "glpat- gldt- glptt- glrt-", _START + r"(gl(?:pat|dt|ptt|rt)-[\w-]{20,300})" + _END),
    # Slack: "Token types"; gitleaks slack-bot-token, slack-user-token, slack-app-token, slack-webhook-url
    _token(
        "a Slack token", "xox", _START + r"(xox[abeoprs](?:\.xox[bp])?-(?:\d{1,13}-){1,3}[A-Za-z0-9-]{10,250})" + _END
    ),
    _token("a Slack token", "xapp-", _START + r"(xapp-\d-[A-Z0-9]{6,20}-\d{6,20}-[a-z0-9]{20,100})" + _END),
    _token(
        "a Slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Z0-9]{6,20}/[A-Z0-9]{6,20}/[A-Za-z0-9]{18,60})" + _END,
    ),
    # Stripe: "API keys"; test keys stand in its documentation and move no money
    _token("a Stripe key", "_live_", _START + r"((?:sk|rk)_live_[A-Za-z0-9]{16,250})" + _END),
    # Google: "API keys"; gitleaks gcp-api-key. A service account's file is known by its private key
    _token("a Google API key", "AIza", _START + r"(AIza[\w-]{35})" + _END),
    _token("a Google OAuth secret", "GOCSPX-", _START + r"(GOCSPX-[\w-]{28})" + _END),
    # PyPI: a macaroon that begins with the index's name; gitleaks pypi-upload-token
    _token("a PyPI token", "pypi-AgE", _START + r"(pypi-AgE[\w-]{50,1000})" + _END),
    # npm: "About access tokens"; gitleaks npm-access-token
    _token("an npm token", "npm_", _START + r"(npm_[A-Za-z0-9]{36})" + _END),
    # SendGrid, Hugging Face, DigitalOcean, Vault, OpenAI, Anthropic, Azure Storage: gitleaks' rules of these names
    _token("a SendGrid key", "SG.", _START + r"(SG\.[\w-]{22}\.[\w-]{43})" + _END),
    _token("a Hugging Face token", "hf_", _START + r"(hf_[A-Za-z]{34})" + _END),
    _token("a DigitalOcean token", "_v1_", _START + r"(do[por]_v1_[a-f0-9]{64})" + _END),
    _token("a Vault token", "hvs. hvb.", _START + r"(hv[sb]\.[\w-]{90,300})" + _END),
    _token("an OpenAI key", "T3BlbkFJ", _START + r"(sk-[\w-]{20,100}T3BlbkFJ[\w-]{20,100})" + _END),
    _token("an Anthropic key", "sk-ant-", _START + r"(sk-ant-[a-z]{2,6}\d\d-[\w-]{80,120})" + _END),
    _token("an Azure storage key", "AccountKey", r"AccountKey\s?=\s?([A-Za-z0-9/+]{86}==)"),
)
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\[nr]|[\s\"'b+,()\\]){0,200}"  # line ends, also as a string in Python or JSON has them
    rb"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]{0,200}(?:\\[nr]|[\s\"'b+,()\\]){0,200}){0,4}"
    rb"([A-Za-z0-9/+]{40,})"
)
"""RFC 7468, and OpenSSH's and PGP's like it: the marker with a key after it; alone it stands in many programs."""
_FEWEST_LETTERS = 7
"""A token of fewer different characters is a placeholder: AKIAXXXXXXXXXXXXXXXX."""

_KEY_NAMES = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.ppk")
"""OpenSSH's names for private keys, PKCS #12 (gitleaks pkcs12-file), PuTTY's."""
_ENV_SAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist")
_CLIENT_FILES = {
    ".npmrc": re.compile(rb"(?m)^\s*[^#;\s].{0,200}_(?:authToken|auth|password)\s*=\s*(?!\s|\$\{)"),
    ".pypirc": re.compile(rb"(?m)^\s*password\s*[=:]\s*\S"),
    ".netrc": re.compile(rb"(?m)\bpassword\s+\S"),
}
"""Files in which package managers, and curl, keep what they log in with, where they do."""


def by_name(path: str) -> str | None:
    """What a file of that path is, where its name alone makes it secret."""
    name = path.rpartition("/")[2]
    if ".git" in path.split("/"):
        return "version control's own files"
    if (name == ".env" or name.startswith(".env.")) and name not in _ENV_SAMPLES:
        return "variables of an environment"
    if path == ".aws/credentials" or path.endswith("/.aws/credentials"):
        return "AWS credentials"
    if any(fnmatchcase(name.lower(), pattern) for pattern in _KEY_NAMES):
        return "a private key, by its name"
    return None


def find(path: str, read: Callable[[], bytes], *, own: bool) -> list[Hit]:
    """What is secret in a file, by line.

    Args:
        path: where it stands in what ships; some names are enough.
        read: its bytes, where these are needed.
        own: whether it is of a function's own source, and so is searched for tokens too. What a published distribution
            brings for its tests, keys above all, is known to everybody and is nobody's.
    """
    if not own and _is_fixture(path):
        return []
    told = by_name(path)
    if told is not None:
        return [Hit(what=told, line=0)]
    data = _as_bytes(read())
    hits = []
    if b"PRIVATE KEY" in data:
        hits += [Hit(what="a private key", line=_line(data, match.start())) for match in _PRIVATE_KEY.finditer(data)]
    client = _CLIENT_FILES.get(path.rpartition("/")[2])
    if client is not None:
        hits += [Hit(what="a password", line=_line(data, match.start())) for match in client.finditer(data)]
    if own:
        hits += [
            Hit(what=token.what, line=_line(data, match.start(1)))
            for token in _TOKENS
            for word in token.words
            for begin, end in _stretches(data, word)
            for match in token.pattern.finditer(data, begin, end)
            if not _is_example(match[1])
        ]
    return sorted(set(hits), key=lambda hit: (hit.line, hit.what))


def _is_fixture(path: str) -> bool:
    """Whether a file is for tests: in a folder for them, also under pycryptodome's name, or a module of them."""
    name = path.rpartition("/")[2]
    return is_test(path) or "SelfTest" in path.split("/") or name == "tests.py" or name.startswith("test_")


def _as_bytes(data: bytes) -> bytes:
    """UTF-16, which PowerShell writes, as UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def _stretches(data: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    """Where a pattern around the word can match, from and to: a model's weights are not searched byte by byte."""
    place = data.find(word)
    while place >= 0:
        begin, end = max(0, place - _BEFORE), place + _AFTER
        place = data.find(word, place + 1)
        while 0 <= place < end + _BEFORE:
            end = place + _AFTER
            place = data.find(word, place + 1)
        yield begin, end


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def _is_example(secret: bytes) -> bool:
    """Whether it is no secret: of AWS's documentation, a placeholder, or a hash under a name that sounds like a key."""
    return (
        secret.upper().endswith((b"EXAMPLE", b"EXAMPLEKEY"))
        or len(set(secret)) < _FEWEST_LETTERS
        or re.fullmatch(rb"[0-9a-f]{40}", secret) is not None
    )
