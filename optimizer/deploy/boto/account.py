"""The port to AWS over boto3: roles and parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from optimizer.deploy.rejections import MISSING, CallRejectedError
from optimizer.deploy.values import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from optimizer.deploy.boto.client import Clients
    from optimizer.deploy.clock import Clock

POLICY_NAME = "layer-optimizer"
"""Our inline policy's name in a role."""

MADE_BY = "Made by layer-optimizer"
"""A role's description that tells that it is ours."""

_PARAMETERS = 10
"""In one GetParameters (API model)."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
"""Who may take a role that is made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAws:
    """IAM and SSM, reached from one region."""

    region: str
    clients: Clients
    clock: Clock

    def _about(self, subject: str) -> AbstractContextManager[None]:
        return self.clients.translated(subject, self.region)

    @property
    def _iam(self) -> Any:
        return self.clients.client("iam", self.region)

    def role(self, name: str) -> Role | None:
        """See Aws.role."""
        try:
            with self._about(f"role {name}"):
                found = self._iam.get_role(RoleName=name)["Role"]
        except CallRejectedError as error:
            if error.aws_code in MISSING:
                return None
            raise
        with self._about(f"role {name}"):
            attached = frozenset(
                policy["PolicyArn"]
                for page in self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
                for policy in page["AttachedPolicies"]
            )
        return Role(
            name=name,
            arn=found["Arn"],
            ours=found.get("Description", "") == MADE_BY,
            policy=self.role_policy(name),
            attached=attached,
        )

    def role_policy(self, name: str) -> dict[str, Any] | None:
        """See Aws.role_policy."""
        try:
            with self._about(f"role {name}"):
                document = self._iam.get_role_policy(RoleName=name, PolicyName=POLICY_NAME)["PolicyDocument"]
        except CallRejectedError as error:
            if error.aws_code in MISSING:
                return None
            raise
        # botocore decodes the document; some stand-ins leave it as text
        parsed: dict[str, Any] = json.loads(unquote(document)) if isinstance(document, str) else document
        return parsed

    def create_role(self, name: str) -> str:
        """See Aws.create_role."""
        with self._about(f"role {name}"):
            answer = self._iam.create_role(
                RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Description=MADE_BY
            )
            return str(answer["Role"]["Arn"])

    def attach_policy(self, role: str, policy: str) -> None:
        """See Aws.attach_policy."""
        with self._about(f"role {role}"):
            self._iam.attach_role_policy(RoleName=role, PolicyArn=policy)

    def put_policy(self, role: str, document: dict[str, Any]) -> None:
        """See Aws.put_policy."""
        with self._about(f"role {role}"):
            self._iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))

    def delete_policy(self, role: str) -> None:
        """See Aws.delete_policy."""
        try:
            with self._about(f"role {role}"):
                self._iam.delete_role_policy(RoleName=role, PolicyName=POLICY_NAME)
        except CallRejectedError as error:
            if error.aws_code not in MISSING:  # else an earlier call acted, and its answer was lost
                raise

    def parameters(self, names: Sequence[str]) -> dict[str, str]:
        """See Aws.parameters."""
        found: dict[str, str] = {}
        for start in range(0, len(names), _PARAMETERS):
            with self._about("SSM parameters"):
                answer = self.clients.client("ssm", self.region).get_parameters(
                    Names=list(names[start : start + _PARAMETERS])
                )
            found |= {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        return found

    def put_parameter(self, name: str, value: str) -> None:
        """See Aws.put_parameter."""
        with self._about(f"parameter {name}"):
            self.clients.client("ssm", self.region).put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
