"""[AWS] Remote state, change set, execution: the only part that talks to AWS."""

from optimizer.deploy.actions import Action, ChangeSet
from optimizer.deploy.aws import BotoAws
from optimizer.deploy.call_counts import calls_of
from optimizer.deploy.canary import Canary
from optimizer.deploy.client import Clients, Connection, default_region
from optimizer.deploy.clock import RealClock
from optimizer.deploy.deployments import Deployer, Deployment
from optimizer.deploy.port import Aws
from optimizer.deploy.publications import Publication, Published, Publisher
from optimizer.deploy.publishing import Journal
from optimizer.deploy.rollback import plan_rollback
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
