"""What counts as secret, and what looks like it and does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.content.credentials import Hit, by_name, find

MIXED = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD3fG5hJ7kL9nP1rS2tU4wX6yZ8bC0eF3gI5jM7kO9qR1"
UPPER = "Q2W3E4R5T6Y7UIOP"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"


def begin(kind=""):
    return f"-----BEGIN {kind}PRIVATE KEY-----"


TOKENS = {
    "an AWS access key id": ["AKIA" + UPPER, "ASIA" + UPPER],
    "a GitHub token": ["ghp_" + MIXED[:36], "ghs_" + MIXED[:36], "github_pat_" + MIXED[:22] + "_" + MIXED[:59]],
    "a GitLab token": ["glpat-" + MIXED[:20], "glrt-" + MIXED[:20]],
    "a Slack token": [
        "xoxb-" + "1234567890-1234567890123-" + MIXED[:24],
        "xapp-1-" + UPPER[:11] + "-1234567890123-" + "a1b2c3d4" * 8,
    ],
    "a Slack webhook": ["https://hooks.slack.com/services/T" + UPPER[:8] + "/B" + UPPER[:8] + "/" + MIXED[:24]],
    "a Stripe key": ["sk_" + "live_" + MIXED[:24], "rk_" + "live_" + MIXED[:24]],
    "a Google API key": ["AIza" + MIXED[:35]],
    "a Google OAuth secret": ["GOCSPX-" + MIXED[:28]],
    "a PyPI token": ["pypi-AgE" + MIXED],
    "an npm token": ["npm_" + MIXED[:36]],
    "a SendGrid key": ["SG." + MIXED[:22] + "." + MIXED[:43]],
    "a Hugging Face token": ["hf_" + re.sub(r"\d", "x", MIXED)[:34]],
    "a DigitalOcean token": ["dop_v1_" + "a1b2c3d4" * 8],
    "a Vault token": ["hvs." + MIXED + MIXED[:20]],
    "an OpenAI key": ["sk-proj-" + MIXED[:30] + "T3BlbkFJ" + MIXED[:30]],
    "an Anthropic key": ["sk-ant-" + "api03-" + MIXED + MIXED[:15]],
    "an Azure storage key": ["AccountName=x;AccountKey=" + (MIXED + MIXED)[:86] + "=="],
}
WAYS = ["KEY = '{}'\n", 'key: "{}"', "{}", '{{"key":"{}"}}', "-H 'Authorization: Bearer {}'\n", "export KEY={}\n"]


def hits(text, path="app/settings.py", *, own=True):
    data = text if isinstance(text, bytes) else text.encode()
    return find(path, lambda: data, own=own)


@pytest.mark.parametrize(("what", "token"), [(what, token) for what, tokens in TOKENS.items() for token in tokens])
def test_a_token_is_found_however_it_is_written(what, token):
    for way in WAYS:
        assert hits("# settings\n\n" + way.format(token)) == [Hit(what=what, line=3)], way


@pytest.mark.parametrize(
    "text",
    [
        "aws_secret_access_key = {}",
        "AWS_SECRET_ACCESS_KEY={}",
        'client = boto3.client("s3", aws_secret_access_key="{}")',
        'os.environ["AWS_SECRET_ACCESS_KEY"] = "{}"',
        '{{"SecretAccessKey": "{}"}}',
        "AWS_SECRET: str = '{}'",
        'os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "{}")',
    ],
)
def test_an_aws_secret_is_known_by_the_name_that_it_is_given(text):
    secret = "wJ4lrXUtnFEMI/K7MDENG+bPxRfiCYzKq8hT3vLd"
    assert len(secret) == 40
    assert hits(text.format(secret)) == [Hit(what="an AWS secret access key", line=1)]


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "])
@pytest.mark.parametrize("own", [True, False])
def test_a_private_key_is_found_by_its_content_wherever_it_lies(kind, own):
    """In a file, as a JSON document has it, in a Python string over several lines, and with PEM's headers."""
    ways = [
        f"{begin(kind)}\n{BODY}\n",
        f"{begin(kind)}\r\n{BODY}\r\n",
        f'{{"private_key": "{begin(kind)}\\n{BODY}\\n"}}',
        f'KEY = (b"{begin(kind)}\\n"\n       b"{BODY}\\n")',
        f"{begin(kind)}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\n{BODY}",
    ]
    for way in ways:
        assert hits("first\n" + way, own=own)[:1] == [Hit(what="a private key", line=2)], way


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "app/.env",
        ".env.production",
        "id_rsa",
        "keys/id_ed25519",
        "server.p12",
        "Server.PFX",
        "login.ppk",
        ".git/config",
        "vendor/.git/HEAD",
        ".aws/credentials",
        "home/.aws/credentials",
    ],
)
def test_some_files_are_secret_by_their_name_and_are_not_read(path):
    def unread():
        raise AssertionError

    found = find(path, unread, own=True)
    assert [hit.line for hit in found] == [0]
    assert found == find(path, unread, own=False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".npmrc", "registry=https://x/\n//x/:_authToken=abc123\n"),
        (".pypirc", "[pypi]\npassword = hunter22\n"),
        (".netrc", "machine x login y\n  password hunter22\n"),
    ],
)
def test_a_package_managers_file_is_secret_where_it_holds_a_password(name, text):
    assert hits(text, f"pkg/{name}", own=False) == [Hit(what="a password", line=2)]
    assert hits("registry=https://x/\n# no password here\n//x/:_authToken=${TOKEN}\n", ".npmrc") == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
        "AKIA" + "X" * 16,
        "ghp_" + "x" * 36,
        "aws_commit_key = '0123456789abcdef0123456789abcdef01234567'",
        "sk_" + "test_4eC39HqLyjWDarjtT1zdp7dc",
        "pk_" + "live_" + MIXED[:24],
        f"prefixAKIA{UPPER}",
        "AKIA" + UPPER + "MORE",
        begin("RSA "),
        f'if text.startswith("{begin()}"):\n    raise ValueError("a key")',
        f"-----BEGIN CERTIFICATE-----\n{BODY}\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{BODY}\n-----END PUBLIC KEY-----",
        "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']",
        "SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/key-AbCdEf'",
        "",
    ],
)
def test_what_only_looks_like_it_is_no_finding(text):
    assert hits(text) == []


@pytest.mark.parametrize(
    "path", [".env.example", ".env.sample", "env.py", ".envrc.md", "environment", ".gitignore", "certifi/cacert.pem"]
)
def test_names_that_only_look_like_it_are_no_finding(path):
    assert by_name(path) is None


def test_a_distribution_is_not_searched_for_tokens():
    assert hits("AKIA" + UPPER, "botocore/docs.py", own=False) == []


@pytest.mark.parametrize(
    "path", ["twisted/test/server.pem", "Crypto/SelfTest/x.py", "jwcrypto/tests.py", "ecdsa/test_keys.py"]
)
def test_a_distributions_keys_for_tests_are_no_finding_but_ones_own_are(path):
    key = f"{begin()}\n{BODY}\n"
    assert hits(key, path, own=False) == []
    assert hits(key, path, own=True) == [Hit(what="a private key", line=1)]


def test_utf_16_is_read():
    assert hits(("\r\nKEY=AKIA" + UPPER).encode("utf-16")) == [Hit(what="an AWS access key id", line=2)]


@given(
    st.binary(max_size=300), st.sampled_from([t for tokens in TOKENS.values() for t in tokens]), st.binary(max_size=300)
)
def test_whatever_stands_around_it_a_finding_never_holds_the_secret(before, token, after):
    found = hits(before + b"\n '" + token.encode() + b"' \n" + after)
    if before[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        assert before.count(b"\n") + 2 in {hit.line for hit in found}
    assert all(token[8:] not in repr(hit) for hit in found)
