"""[AWS] Remote state, change set, execution: the only part that talks to AWS."""

from optimizer.deploy.actions import Action, ChangeSet
from optimizer.deploy.boto.aws import BotoAws
from optimizer.deploy.boto.client import Clients, Connection, default_region
from optimizer.deploy.clock import RealClock
from optimizer.deploy.execution.deployments import Deployer, Deployment
from optimizer.deploy.execution.layers_alone import Publication, Published, Publisher
from optimizer.deploy.execution.publishing import Journal
from optimizer.deploy.planning.call_counts import calls_of
from optimizer.deploy.planning.canary import Canary
from optimizer.deploy.planning.rollback import plan_rollback
from optimizer.deploy.port import Aws
from optimizer.deploy.values import ALIAS
from optimizer.deploy.wanted import Options

__all__ = [
    "ALIAS",
    "Action",
    "Aws",
    "BotoAws",
    "Canary",
    "ChangeSet",
    "Clients",
    "Connection",
    "Deployer",
    "Deployment",
    "Journal",
    "Options",
    "Publication",
    "Published",
    "Publisher",
    "RealClock",
    "calls_of",
    "default_region",
    "plan_rollback",
]
