"""Deploys of the fake manifest to the fake AWS, as the command wires them."""

from optimizer.deploy import Deployer, Journal, Options
from optimizer.deploy.wanted import Wanted
from optimizer.errors import AwsError


def deployer(aws, manifest, **options):
    return Deployer(
        manifest=manifest,
        options=Options(**options),
        connect=lambda _: aws,
        clock=aws.clock,
        journal=Journal(),
        progress=lambda _: None,
    )


def plan(aws, manifest, **options):
    (planned,) = deployer(aws, manifest, **options).plan()
    if planned.error is not None:
        raise planned.error
    return planned.changes


def deploy(aws, manifest, **options):
    """The one deployment, after it was carried out; what AWS refused is raised, as the command does."""
    run = deployer(aws, manifest, **options)
    planned = run.plan()
    for one in planned:
        if one.error is not None:
            raise one.error
    return carried_out(run, planned)


def carried_out(run, planned):
    """The one deployment, after it was carried out; what AWS refused is raised."""
    (done,) = run.execute(planned)
    if isinstance(done.error, AwsError):
        raise done.error
    return done


def actions(changes):
    return [f"{action.name} {action.subject}" for action in changes.actions]


def wanted(manifest, *, code_only=False):
    return Wanted.of(manifest, manifest.functions[0], code_only=code_only)


def served(aws, name="app"):
    """What the alias serves: code, and the fingerprints of layers of ours with the ARNs of others, in order."""
    function = aws.functions[name]
    version = function.versions[function.aliases["live"].version]
    known = {v.arn: v.fingerprint for versions in aws.layers.values() for v, _ in versions}
    return version.code_sha256, tuple(known.get(arn, arn) for arn in version.layer_arns)
