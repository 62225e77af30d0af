"""Which service a request means, and what its operation is called in the access log."""

import io

import pytest

from optimizer.local.requests import meant, operation_name

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def environ(method="GET", path="/", query="", body=b"", **more):
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }


@pytest.mark.parametrize("service", ["lambda", "iam", "monitoring"])
def test_the_signature_names_service_and_region(service):
    assert meant(environ(HTTP_AUTHORIZATION=SIGNED.format(service))) == (service, "eu-central-1")


def test_a_presigned_address_names_them_too():
    query = "X-Amz-Credential=x%2F20260101%2Feu-central-1%2Fs3%2Faws4_request"
    assert meant(environ(path="/bucket/key", query=query)) == ("s3", "eu-central-1")


def test_an_unsigned_request_is_lambdas_by_its_path_and_else_s3s():
    assert meant(environ(path="/2015-03-31/functions/")) == ("lambda", None)
    assert meant(environ(path="/bucket/key")) == ("s3", None)


@pytest.mark.parametrize(
    ("service", "request_", "name"),
    [
        ("logs", {"HTTP_X_AMZ_TARGET": "Logs_20140328.PutLogEvents"}, "PutLogEvents"),
        (
            "iam",
            {
                "method": "POST",
                "body": b"Action=CreateRole&Version=2010-05-08",
                "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
            },
            "CreateRole",
        ),
        ("monitoring", {"path": "/service/GraniteServiceVersion20100801/operation/GetMetricData"}, "GetMetricData"),
        ("s3", {"path": "/"}, "ListBuckets"),
        ("s3", {"method": "PUT", "path": "/b"}, "CreateBucket"),
        ("s3", {"path": "/b", "query": "list-type=2&prefix=x"}, "ListObjectsV2"),
        ("s3", {"method": "PUT", "path": "/b/a/b"}, "PutObject"),
        ("s3", {"method": "PUT", "path": "/b/k", "query": "partNumber=1&uploadId=x"}, "UploadPart"),
        ("s3", {"method": "POST", "path": "/b/k", "query": "uploads"}, "CreateMultipartUpload"),
        ("s3", {"method": "HEAD", "path": "/b/k"}, "HeadObject"),
        ("s3", {"path": "/b", "query": "location"}, "GetBucket(location)"),
    ],
)
def test_the_log_calls_operations_as_their_clients_do(service, request_, name):
    assert operation_name(service, environ(**request_)) == name


def test_naming_a_call_leaves_its_body_to_be_read():
    form = environ("POST", body=b"Action=GetUser", CONTENT_TYPE="application/x-www-form-urlencoded")
    operation_name("iam", form)
    assert form["wsgi.input"].read() == b"Action=GetUser"
