"""The example function in its layers: bytes and document, S3 notifications and SQS batches, who may call its URL."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from app.core.settings import Settings
from app.main import create_app
from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from tests.integration.local.conftest import REGION, ask, ask_signed
from tests.support import shared_folder

ROOT = Path(__file__).parents[3]
CODE_BYTES = 60 * 1024
EVENTS = ROOT / "tests/function/events"
SETTINGS = {"ANALYZER_STORE_BUCKET": "results", "ANALYZER_EVENT_ANALYSIS": "colors", "ANALYZER_AUTH": "iam"}


@pytest.fixture(scope="module")
def analyzer(account, tmp_path_factory):
    """The deployed function, with a bucket for pictures and one for results."""
    output = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared_folder(tmp_path_factory) / "cache"))
        manifest = run_build(Source(config=ROOT / "config/layers.toml"), output, quiet=True)
    layers, code = [], b""
    for artifact in manifest.artifacts:
        data = (output / artifact.path).read_bytes()
        if artifact.kind == "function":
            code = data
        else:
            made = account.aws_lambda.publish_layer_version(LayerName=artifact.name, Content={"ZipFile": data})
            layers.append(made["LayerVersionArn"])
    account.aws_lambda.create_function(
        FunctionName="analyzer",
        Runtime="python3.11",
        Handler="lambda_function.handler",
        Role=account.role,
        Code={"ZipFile": code},
        Layers=layers,
        Timeout=30,
        MemorySize=1024,
        Environment={
            "Variables": {
                "ANALYZER_STORE_BUCKET": "results",
                "ANALYZER_EVENT_ANALYSIS": "colors",
                "ANALYZER_AUTH": "iam",
            }
        },
    )
    account.aws_lambda.get_waiter("function_active_v2").wait(FunctionName="analyzer", WaiterConfig={"Delay": 0.05})
    s3 = account.client("s3")
    for bucket in ("pictures", "results"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


def put(s3, key, color):
    data = io.BytesIO()
    Image.new("RGB", (6, 4), color).save(data, "PNG")
    s3.put_object(Bucket="pictures", Key=key, Body=data.getvalue())


def kept(s3):
    """The names of the first colours in what is kept."""
    found = []
    for entry in s3.list_objects_v2(Bucket="results").get("Contents", []):
        body = s3.get_object(Bucket="results", Key=entry["Key"])["Body"].read()
        found.append(json.loads(body)["colors"][0]["name"])
    return sorted(found)


def test_notifications_and_batches_end_in_kept_results_and_failures(analyzer, account):
    put(analyzer, "café/red picture+1.png", "red")
    assert account.invoke("analyzer", json.loads((EVENTS / "s3-put.json").read_text("utf-8"))) == (None, {"records": 1})
    assert kept(analyzer) == ["red"]

    put(analyzer, "teal.png", "teal")
    batch = json.loads((EVENTS / "sqs.json").read_text("utf-8"))
    bodies = ['{"bucket": "pictures", "key": "teal.png"}', "no JSON", '{"bucket": "pictures", "key": "gone.png"}']
    batch["Records"] = [
        {**batch["Records"][0], "messageId": str(index), "body": body} for index, body in enumerate(bodies)
    ]
    assert account.invoke("analyzer", batch) == (None, {"batchItemFailures": [{"itemIdentifier": "1"}]})
    assert kept(analyzer) == ["red", "teal"]

    error, answer = account.invoke("analyzer", {"Records": [{"eventSource": "aws:kinesis"}]})
    assert (error, answer["errorType"]) == ("Unhandled", "NotUnderstoodError")


@pytest.mark.usefixtures("analyzer")
def test_with_auth_iam_its_url_lets_in_who_signed_and_nobody_else(account):
    urls = account.aws_lambda
    url = urls.create_function_url_config(FunctionName="analyzer", AuthType="AWS_IAM")["FunctionUrl"]
    assert (ask_signed(f"{url}health")[0], ask(f"{url}health")[0]) == (200, 403)
    status, _, body = ask_signed(f"{url}api/v1/analyses")
    assert (status, json.loads(body)["success"]) == (200, True)
    assert json.loads(ask(f"{url}api/v1/analyses")[2]) == {"Message": "Forbidden"}, "the URL's own answer"

    urls.update_function_url_config(FunctionName="analyzer", AuthType="NONE")
    for sid, action in (("url", "lambda:InvokeFunctionUrl"), ("call", "lambda:InvokeFunction")):
        urls.add_permission(FunctionName="analyzer", StatementId=sid, Action=action, Principal="*")
    for asking in (ask, ask_signed):
        status, _, body = asking(f"{url}api/v1/analyses")
        assert (status, json.loads(body)["code"]) == (403, "iam_required"), "nobody has looked at a signature"
    assert ask(f"{url}health")[0] == 200


@pytest.mark.usefixtures("analyzer")
def test_its_own_code_is_at_most_60_kb(account):
    assert account.aws_lambda.get_function(FunctionName="analyzer")["Configuration"]["CodeSize"] <= CODE_BYTES


@pytest.mark.usefixtures("analyzer")
def test_its_openapi_document_is_that_of_its_sources(account):
    """Docstrings are its descriptions: those ship, though comments and other docstrings do not."""
    path = "/api/v1/openapi.json"
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "example.com"},
        "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}},
        "isBase64Encoded": False,
    }
    error, answer = account.invoke("analyzer", event)
    assert (error, answer["statusCode"]) == (None, 200)
    document = create_app(Settings.from_environment(SETTINGS)).openapi()
    assert answer["body"] == json.dumps({**document, "servers": [{"url": "/"}]}, separators=(",", ":"))
