"""Function URLs over HTTP: for those who may, with the request and the answer whole."""

import http.client
import json
import urllib.error
from urllib.parse import urlsplit

import pytest

from tests.integration.local.conftest import REGION, ask, ask_signed

ECHO = (
    "import json\n"
    "def handler(event, context):\n"
    "    if event['rawPath'] == '/fail': raise ValueError('no')\n"
    "    if event['rawPath'] == '/picture':\n"
    "        picture = {'headers': {'content-type': 'image/x'}, 'body': 'AAH/', 'isBase64Encoded': True}\n"
    "        return {'statusCode': 200, **picture}\n"
    "    return {'statusCode': 201, 'cookies': ['a=1', 'b=2'], 'headers': {'x-a': 'b'}, 'body': json.dumps(event)}\n"
)


@pytest.fixture(scope="module")
def url(account):
    """An open URL of an echoing function."""
    return account.open_url(account.function(ECHO))


def test_a_request_goes_through_whole(url):
    status, headers, body = ask(
        f"{url}a%20b?x=1&x=2", data=b'{"k": 1}', headers={"Content-Type": "application/json", "Cookie": "c=1; d=2"}
    )
    event = json.loads(body)
    assert (status, headers["x-a"], headers.get_all("Set-Cookie")) == (201, "b", ["a=1", "b=2"])
    assert (event["rawPath"], event["queryStringParameters"], event["cookies"]) == (
        "/a%20b",
        {"x": "1,2"},
        ["c=1", "d=2"],
    )
    assert (event["requestContext"]["http"]["method"], event["body"]) == ("POST", '{"k": 1}')


def test_bytes_come_back_as_bytes(url):
    status, headers, body = ask(f"{url}picture")
    assert (status, headers["content-type"], body) == (200, "image/x", b"\x00\x01\xff")


def test_a_head_request_gets_the_headers_alone(url):
    status, headers, body = ask(f"{url}picture", method="HEAD")
    assert (status, headers["content-length"], body) == (200, "3", b"")


def test_a_functions_error_is_a_502_that_tells_nothing(url):
    assert ask(f"{url}fail")[::2] == (502, b"Internal Server Error")


def test_a_request_over_six_megabytes_is_refused(url):
    assert ask(url, data=bytes(6_291_556), method="POST")[0] == 413


def test_the_one_port_serves_it_too_under_its_host(account, url):
    endpoint = urlsplit(account.endpoint_url)
    identifier = json.loads(ask(url)[2])["requestContext"]["domainPrefix"]
    connection = http.client.HTTPConnection(endpoint.hostname, endpoint.port)
    connection.request("GET", "/x", headers={"Host": f"{identifier}.lambda-url.{REGION}.localhost:{endpoint.port}"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["rawPath"]) == (201, "/x")
    connection.request("GET", "/x", headers={"Host": f"{'0' * 32}.lambda-url.{REGION}.localhost"})
    assert connection.getresponse().status == 403
    connection.close()


def test_an_open_url_needs_both_permissions(account):
    name = account.function(ECHO)
    url = account.aws_lambda.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    assert ask(url)[0] == 403
    for sid, action, status in (("a", "lambda:InvokeFunctionUrl", 403), ("b", "lambda:InvokeFunction", 201)):
        account.aws_lambda.add_permission(FunctionName=name, StatementId=sid, Action=action, Principal="*")
        assert ask(url)[0] == status


def test_a_permission_for_another_way_of_calling_does_not_open_a_url(account):
    name = account.function(ECHO)
    url = account.aws_lambda.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    given = {"FunctionName": name, "Principal": "*"}
    account.aws_lambda.add_permission(StatementId="a", Action="lambda:InvokeFunction", **given)
    account.aws_lambda.add_permission(
        StatementId="b", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM", **given
    )
    assert ask(url)[0] == 403
    account.aws_lambda.add_permission(
        StatementId="c", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **given
    )
    assert ask(url)[0] == 201


def test_a_url_that_asks_for_iam_takes_signed_requests_alone(account):
    name = account.function(ECHO)
    url = account.aws_lambda.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    status, _, body = ask(url, headers={"Authorization": "Bearer x"})
    assert (status, json.loads(body)) == (403, {"Message": "Forbidden"})
    status, _, body = ask_signed(url)
    assert status == 201
    assert json.loads(body)["requestContext"]["accountId"] == "123456789012"


def test_the_event_tells_who_signed_as_sts_does(account):
    url = account.aws_lambda.create_function_url_config(FunctionName=account.function(ECHO), AuthType="AWS_IAM")
    iam = account.client("iam")
    user = iam.create_user(UserName="somebody")["User"]
    key = iam.create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    context = json.loads(ask_signed(url["FunctionUrl"], key)[2])["requestContext"]
    assert context["authorizer"] == {
        "iam": {
            "accessKey": key,
            "accountId": "123456789012",
            "callerId": user["UserId"],
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": user["Arn"],
            "userId": user["UserId"],
        }
    }


def test_the_event_of_an_open_url_tells_of_nobody(url):
    context = json.loads(ask_signed(url)[2])["requestContext"]
    assert (context["accountId"], "authorizer" in context) == ("anonymous", False)


def test_a_deleted_url_is_served_no_more(account):
    name = account.function(ECHO)
    url = account.open_url(name)
    account.aws_lambda.delete_function_url_config(FunctionName=name, Qualifier="live")
    with pytest.raises(urllib.error.URLError):
        ask(url)


def test_an_aliass_url_follows_the_alias(account):
    name = account.function("def handler(event, context):\n    return 'one'\n")
    url = account.open_url(name)
    assert json.loads(ask(url)[2]) == "one"
    account.aws_lambda.update_function_configuration(FunctionName=name, Handler="h.nothing")
    account.settle(name)
    assert json.loads(ask(url)[2]) == "one"
