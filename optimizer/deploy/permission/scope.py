"""What a deployer's policy is limited to: the ARNs that a configuration leads to, by kind; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from optimizer.deploy.planning.access import logs_policy, partition_of
from optimizer.deploy.wanted import AUTH, role_name
from optimizer.errors import UsageError, check_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from optimizer.config import Config, FunctionConfig
    from optimizer.deploy.permission.permissions import Kind

ANY = "*"
_ROLE = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/")
_ZIPS = "layer-optimizer/*"
"""The keys of zips on their way, see `uploads`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Resources, and the condition under which something is allowed on them."""

    resources: tuple[str, ...]
    condition: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which functions in which regions, and what else is used; `account` is `*` where it is not known.

    `places` are the pairs of a function and a region; `lease` is a bucket and a key.
    """

    account: str
    partition: str
    places: tuple[tuple[FunctionConfig, str], ...]
    layers: tuple[str, ...]
    shared: bool
    bucket: str | None
    lease: tuple[str, str] | None
    ssm: str | None

    @classmethod
    def of(
        cls,
        config: Config,
        *,
        functions: Sequence[str] = (),
        regions: Sequence[str] = (),
        layers: Sequence[str] = (),
        account: str | None = None,
        bucket: str | None = None,
        lease: tuple[str, str] | None = None,
        ssm: str | None = None,
    ) -> Scope:
        """The scope of a configuration.

        Args:
            config: the whole of it.
            functions: the names of those meant; all without any.
            regions: instead of the functions' own.
            layers: others than the configuration's that functions may have, or that are pruned.
            account: its number; that of the functions' configured roles without it.
            bucket: what large zips go through.
            lease: the bucket and key of the lease.
            ssm: the prefix of parameters.

        Raises:
            UsageError: there is no such function, or the regions are of several partitions.
        """
        check_known("function", functions, (one.name for one in config.function), where="the configuration")
        chosen = [one for one in config.function if not functions or one.name in functions]
        places = tuple((one, region) for one in chosen for region in dict.fromkeys(regions or one.regions))
        partitions = sorted({partition_of(region) for _, region in places})
        if len(partitions) > 1:
            raise UsageError(
                f"The regions are of {' and '.join(partitions)}, and a policy is of one partition",
                mend="Make one for each, with --region.",
            )
        accounts = {found[1] for one in chosen if (found := _ROLE.match(one.role_arn or ""))}
        return cls(
            account=account or (accounts.pop() if len(accounts) == 1 else ANY),
            partition=partitions[0],
            places=places,
            layers=tuple(dict.fromkeys((*(layer.name for layer in config.layer), *layers))),
            shared=config.share is not None,
            bucket=bucket,
            lease=lease,
            ssm=ssm,
        )

    @property
    def regions(self) -> tuple[str, ...]:
        """Each region once."""
        return tuple(dict.fromkeys(region for _, region in self.places))

    def arn(self, service: str, region: str, resource: str, *, account: str | None = None) -> str:
        """An ARN of this partition, and of this account without another."""
        return f"arn:{self.partition}:{service}:{region}:{self.account if account is None else account}:{resource}"

    def functions(
        self, matters: Callable[[FunctionConfig], bool] = lambda _: True, *, whole: bool = True
    ) -> tuple[str, ...]:
        """The functions that matter: each by itself, unless not `whole`, and with any qualifier.

        A call with a qualifier is about another resource than one without: `function:app` is not `function:app:live`.
        """
        tails = ("", f":{ANY}") if whole else (f":{ANY}",)
        return tuple(
            self.arn("lambda", region, f"function:{one.name}{tail}")
            for one, region in self.places
            if matters(one)
            for tail in tails
        )

    def each_region(self, service: str, *resources: str, account: str | None = None) -> tuple[str, ...]:
        """Resources of every region."""
        return tuple(self.arn(service, region, one, account=account) for region in self.regions for one in resources)

    def roles(self, matters: Callable[[FunctionConfig], bool] = lambda _: True) -> tuple[str, ...]:
        """The roles that deploys make for functions without a configured one."""
        made = (one for one, _ in self.places if one.role_arn is None and matters(one))
        return tuple(dict.fromkeys(self.arn("iam", "", f"role/{role_name(one.name)}") for one in made))


def grants(kind: Kind, scope: Scope) -> tuple[Grant, ...]:  # noqa: C901, PLR0911, PLR0912  one case for each kind
    """The resources of a kind, mostly in one; none where the configuration has no use for what is done with them."""
    match kind:
        case "anything":
            return _on(ANY)
        case "function":
            return _on(*scope.functions())
        case "function-version":
            return _on(*scope.functions(whole=False))
        case "tagged-function":
            return _on(*scope.functions(lambda one: bool(one.tags)))
        case "checked-version":
            return _on(*scope.functions(lambda one: one.check_path is not None, whole=False))
        case "function-with-url":
            return tuple(
                Grant(resources=found, condition={"StringEquals": {"lambda:FunctionUrlAuthType": auth}})
                for url, auth in AUTH.items()
                if auth is not None and (found := scope.functions(lambda one, url=url: one.url == url))  # type: ignore[misc]
            )
        case "function-without-url":
            return _on(*scope.functions(lambda one: AUTH[one.url] is None))
        case "public-function":
            return _on(*scope.functions(lambda one: one.url == "public"))
        case "private-function":
            return _on(*scope.functions(lambda one: one.url != "public"))
        case "any-function":
            return _on(*scope.each_region("lambda", f"function:{ANY}"))
        case "any-function-version":
            return _on(*scope.each_region("lambda", f"function:{ANY}:{ANY}"))
        case "event-source":
            mappings = scope.each_region("lambda", f"event-source-mapping:{ANY}")
            return _on(*mappings, condition={"ArnLike": {"lambda:FunctionArn": list(scope.functions())}})
        case "layer":
            return _on(*scope.each_region("lambda", *(f"layer:{name}" for name in scope.layers)))
        case "layer-version":
            return _on(*_layer_versions(scope))
        case "shared-layer-version":
            return _on(*(_layer_versions(scope) if scope.shared else ()))
        case "attached-layer-version":
            return _on(*_layer_versions(scope), *_external(scope))
        case "any-layer-version":
            return _on(*scope.each_region("lambda", f"layer:{ANY}:{ANY}", account=ANY))
        case "passed-role":
            configured = dict.fromkeys(one.role_arn for one, _ in scope.places if one.role_arn)
            to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
            return _on(*configured, *scope.roles(), condition=to_lambda)
        case "made-role":
            return _on(*scope.roles())
        case "made-role-logs":
            logs = {"ArnEquals": {"iam:PolicyARN": logs_policy(scope.regions[0])}}
            return _on(*scope.roles(), condition=logs)
        case "made-role-with-policy":
            return _on(*scope.roles(lambda one: one.policy is not None))
        case "made-role-without-policy":
            return _on(*scope.roles(lambda one: one.policy is None))
        case "zip":
            return _on(*_s3(scope, f"{scope.bucket}/{_ZIPS}" if scope.bucket else None))
        case "zip-listing":
            ours = {"StringLike": {"s3:prefix": _ZIPS}}
            return _on(*_s3(scope, scope.bucket), condition=ours)
        case "zip-bucket":
            return _on(*_s3(scope, scope.bucket))
        case "lease":
            return _on(*_s3(scope, "/".join(scope.lease) if scope.lease else None))
        case "lease-bucket":
            return _on(*_s3(scope, scope.lease[0] if scope.lease else None))
        case "parameter":
            if scope.ssm is None:
                return ()
            prefix = scope.ssm.strip("/")
            return _on(*scope.each_region("ssm", *(f"parameter/{prefix}/{name}" for name in scope.layers)))
        case "any-bucket":
            return _on(*_s3(scope, ANY))
        case "any-rule":
            return _on(*scope.each_region("events", f"rule/{ANY}"))
        case "any-topic":
            return _on(*scope.each_region("sns", ANY))
        case _:
            assert_never(kind)


def _on(*resources: str, condition: dict[str, dict[str, Any]] | None = None) -> tuple[Grant, ...]:
    return (Grant(resources=resources, condition=condition or {}),) if resources else ()


def _layer_versions(scope: Scope) -> tuple[str, ...]:
    return scope.each_region("lambda", *(f"layer:{name}:{ANY}" for name in scope.layers))


def _external(scope: Scope) -> Iterable[str]:
    """The configured layers of others; each is read where it is attached."""
    return dict.fromkeys(layer.arn for one, _ in scope.places for layer in one.external_layers)


def _s3(scope: Scope, resource: str | None) -> tuple[str, ...]:
    """An S3 ARN, which has neither region nor account."""
    return () if resource is None else (scope.arn("s3", "", resource, account=""),)
