"""[AWS] Remote state, change set, execution: the only part that talks to AWS."""

from optimizer.deploy.actions import ChangeSet, PublishLayer
from optimizer.deploy.aws import ALIAS, Aws, BotoAws
from optimizer.deploy.change_set import make_change_set
from optimizer.deploy.execute import Deployed, Execution
from optimizer.deploy.publish import publish_layers
from optimizer.deploy.read import read_state

__all__ = [
    "ALIAS",
    "Aws",
    "BotoAws",
    "ChangeSet",
    "Deployed",
    "Execution",
    "PublishLayer",
    "make_change_set",
    "publish_layers",
    "read_state",
]
