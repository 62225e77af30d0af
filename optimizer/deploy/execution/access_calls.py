"""Carries out what `access` plans, where a call may have acted before and only its answer was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import ALIAS

if TYPE_CHECKING:
    from optimizer.deploy.actions import CreateRole, CreateUrl, Grant
    from optimizer.deploy.port import Aws


def create_role(aws: Aws, action: CreateRole) -> str:
    """Make the role; its ARN.

    Raises:
        AwsError: it is refused.
    """
    try:
        return aws.create_role(action.subject)
    except CallRejectedError as error:
        there = aws.role(action.subject)
        if error.aws_code != "EntityAlreadyExists" or there is None:
            raise
        return there.arn


def create_url(aws: Aws, function: str, action: CreateUrl) -> str:
    """Give the alias a URL; its address.

    Raises:
        AwsError: it is refused.
    """
    try:
        return aws.create_url(function, ALIAS, action.auth, like=action.like).address
    except CallRejectedError as error:
        there = aws.url(function, ALIAS)
        if error.aws_code != "ResourceConflictException" or there is None or there.auth != action.auth:
            raise
        return there.address


def grant(aws: Aws, function: str, action: Grant) -> None:
    """Let anybody call the alias's URL.

    Raises:
        AwsError: it is refused.
    """
    try:
        aws.grant_url(function, ALIAS, action.statement, via_url_only=action.via_url_only)
    except CallRejectedError as error:
        if error.aws_code != "ResourceConflictException":  # else the statement is there
            raise
