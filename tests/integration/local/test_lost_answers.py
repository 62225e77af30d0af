"""Calls can be cut off before they take effect, and answers lost after it, as tests of a deploy need it."""

import pytest
from botocore.exceptions import ConnectionClosedError

from optimizer.local import embedded_aws
from tests.integration.local.conftest import client, zipped


class Faults:
    """Cuts off the next call of an operation, before or after it takes effect."""

    def __init__(self):
        self.before = self.after = None

    def ahead(self, _service, operation, _agent):
        if operation == self.before:
            raise ConnectionAbortedError

    def follow(self, line):
        if line.operation == self.after:
            raise ConnectionAbortedError


def test_a_call_that_is_cut_off_had_no_effect_and_a_lost_answer_had_it():
    faults = Faults()
    with embedded_aws(ahead=faults.ahead, follow=faults.follow) as aws:
        aws_lambda = client(aws.endpoint_url, "lambda")
        for place, versions in (("before", 0), ("after", 1)):
            faults.before = faults.after = None
            setattr(faults, place, "PublishLayerVersion")
            with pytest.raises(ConnectionClosedError):
                aws_lambda.publish_layer_version(LayerName="l", Content={"ZipFile": zipped({"python/a.py": ""})})
            assert len(aws_lambda.list_layer_versions(LayerName="l")["LayerVersions"]) == versions
        faults.after = "CreateBucket"
        with pytest.raises(ConnectionClosedError):
            client(aws.endpoint_url, "s3", "us-east-1").create_bucket(Bucket="lost-answer")
        assert "lost-answer" in [b["Name"] for b in client(aws.endpoint_url, "s3").list_buckets()["Buckets"]]
