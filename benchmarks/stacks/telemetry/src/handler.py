"""Reads one object of S3."""

from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, str], _context: object) -> dict[str, Any]:
    """How many bytes the object has that the event names."""
    return {"bytes": s3.head_object(Bucket=event["bucket"], Key=event["key"])["ContentLength"]}
