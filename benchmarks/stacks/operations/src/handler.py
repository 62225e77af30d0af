"""Tells what an account has of each of fourteen services."""

from typing import Any

import boto3

LISTS = {
    "autoscaling": "describe_auto_scaling_groups",
    "cloudformation": "list_stacks",
    "cloudwatch": "describe_alarms",
    "dynamodb": "list_tables",
    "ec2": "describe_instances",
    "ecs": "list_clusters",
    "iam": "list_roles",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "rds": "describe_db_instances",
    "s3": "list_buckets",
    "secretsmanager": "list_secrets",
    "sqs": "list_queues",
    "ssm": "describe_parameters",
}


def handler(event: dict[str, str], _context: object) -> dict[str, Any]:
    """The answer of the service that the event names."""
    service = event["service"]
    answer: dict[str, Any] = getattr(boto3.client(service), LISTS[service])()
    return answer
