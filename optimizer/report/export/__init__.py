"""[pure] What was built, as the files of other tools that deploy: SAM, CloudFormation, Terraform, CDK, Serverless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.report.export.cdk import cdk
from optimizer.report.export.cloudformation import cloudformation
from optimizer.report.export.heading import MARK
from optimizer.report.export.model import each, export_of
from optimizer.report.export.published import published_layers
from optimizer.report.export.sam import sam
from optimizer.report.export.serverless import serverless
from optimizer.report.export.terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.report.export.model import Export

__all__ = ["MARK", "export_of", "exported", "published_layers"]

_FORMATS: dict[str, Callable[[Export], str]] = {
    "sam": sam,
    "cloudformation": cloudformation,
    "terraform": terraform,
    "cdk": cdk,
    "serverless": serverless,
}


def exported(tool: str, export: Export) -> str:
    """The file's text for one of the tools.

    Raises:
        ArtifactError: the manifest holds half a character.
        UsageError: the tool can't be given a value as it is.
    """
    return each(_FORMATS[tool], export)
