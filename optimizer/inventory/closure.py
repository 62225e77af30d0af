"""From the functions' requirements to the distributions in reach of them, on the target."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion

from optimizer.inventory.requirements import RequirementLine
from optimizer.inventory.target import built_here, marker_environment, tags_fit
from optimizer.models import Defect, Demand, Distribution

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from optimizer.inventory.environment import Environment, Installed
    from optimizer.models import Target


@dataclass(slots=True)
class Closure:
    """Walks requirements to everything they lead to; remembers what it read and every defect it met.

    One closure serves several functions of one environment: a distribution is read once. It ends at the names in
    `cut`, which are not looked up; `ends` are the requirements that led to them.
    """

    environment: Environment
    target: Target
    cut: frozenset[str] = frozenset()
    ends: list[RequirementLine] = field(default_factory=list)
    defects: dict[tuple[str, str, str], Defect] = field(default_factory=dict)
    _demands: set[Demand] = field(default_factory=set)
    _found: dict[NormalizedName, Installed | None] = field(default_factory=dict)
    _parsed: dict[NormalizedName, tuple[Requirement, ...]] = field(default_factory=dict)
    _edges: dict[NormalizedName, set[NormalizedName]] = field(default_factory=dict)

    def walk(self, lines: Iterable[RequirementLine]) -> tuple[frozenset[NormalizedName], frozenset[NormalizedName]]:
        """The distributions that the lines name themselves, and all in reach, those included."""
        marker_values = cast("dict[str, str | AbstractSet[str]]", marker_environment(self.target))
        direct: set[NormalizedName] = set()
        reached: set[tuple[NormalizedName, str]] = set()
        todo: deque[tuple[Requirement, str]] = deque()
        for line in lines:
            if not self._holds(line.requirement, {**marker_values, "extra": ""}, line.where):
                continue
            self._demand(None, line.requirement)
            if self._ends(line.requirement, line.where):
                continue
            name = canonicalize_name(line.requirement.name)
            direct.add(name)
            self._check_hash(line, self._look_up(name, line.requirement, line.where))
            todo.append((line.requirement, line.where))
        while todo:
            requirement, by = todo.popleft()
            name = canonicalize_name(requirement.name)
            installed = self._look_up(name, requirement, by)
            if installed is None:
                continue
            edges = self._edges.setdefault(name, set())
            for extra in ("", *sorted(requirement.extras)):
                if (name, extra) in reached:
                    continue
                reached.add((name, extra))
                for inner in self._requirements(installed):
                    if not self._holds(inner, {**marker_values, "extra": extra}, name):
                        continue
                    self._demand(name, inner)
                    if not self._ends(inner, name):
                        edges.add(canonicalize_name(inner.name))
                        todo.append((inner, name))
        return frozenset(direct), frozenset(name for name, _ in reached)

    def distributions(self) -> tuple[Distribution, ...]:
        """Every distribution that was reached, sorted by name."""
        return tuple(
            Distribution(
                name=name,
                version=installed.version,
                requires=tuple(sorted(edge for edge in self._edges[name] if self._found.get(edge) and edge != name)),
                files=installed.files,
                outside_bytes=installed.outside_bytes,
                tags=installed.tags,
                info=installed.info,
            )
            for name, installed in sorted(self._found.items())
            if installed is not None
        )

    def demands(self) -> tuple[Demand, ...]:
        """The requirements that were walked and say which versions they take, sorted."""
        return tuple(sorted(self._demands, key=lambda d: (d.name, d.by or "", d.specifier)))

    def _ends(self, requirement: Requirement, where: str) -> bool:
        """Whether the walk ends at what is required."""
        if canonicalize_name(requirement.name) not in self.cut:
            return False
        self.ends.append(RequirementLine(requirement, where))
        return True

    def _demand(self, by: NormalizedName | None, requirement: Requirement) -> None:
        if requirement.specifier:
            name = canonicalize_name(requirement.name)
            self._demands.add(Demand(by=by, name=name, specifier=str(requirement.specifier)))

    def _holds(self, requirement: Requirement, values: dict[str, str | AbstractSet[str]], where: str) -> bool:
        """Whether the requirement's marker holds on the target; one that can't be evaluated is an error."""
        try:
            return requirement.marker is None or requirement.marker.evaluate(values)
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            self._error(canonicalize_name(requirement.name), "marker", f"its marker at {where} means nothing: {error}")
            return False

    def _look_up(self, name: NormalizedName, requirement: Requirement, by: str) -> Installed | None:
        if name not in self._found:
            self._found[name] = installed = self.environment.find(name, requirement.specifier)
            if installed is not None:
                for defect in installed.defects:
                    self._add(defect)
                self._check_tags(installed)
        installed = self._found[name]
        if installed is None:
            self._error(name, "missing", f"required by {by}, {self.environment.absent}")
            return None
        try:
            fits = requirement.specifier.contains(installed.version, prereleases=True)
        except InvalidVersion:
            self._error(name, "version", f"its version {installed.version!r} is not one that PEP 440 knows")
            return installed
        if not fits:
            self._error(
                name, "specifier", f"version {installed.version} does not satisfy {requirement.specifier} of {by}"
            )
        return installed

    def _check_hash(self, line: RequirementLine, installed: Installed | None) -> None:
        """A wheel is the one that the requirement's line was locked to; of what is installed, the wheel is gone."""
        if installed is None or not installed.wheel or not line.hashes:
            return
        if f"sha256:{installed.wheel}" not in line.hashes:
            self._error(
                installed.name,
                "hash",
                f"the wheel of {installed.version} has sha256:{installed.wheel}, but {line.where} asks for "
                f"{' or '.join(sorted(line.hashes))}. Do not use this wheel before you know why they differ",
            )

    def _check_tags(self, installed: Installed) -> None:
        if not installed.tags:
            self._check_extensions(installed)
            return
        runtime = self.target.lambda_runtime
        where = f"{self.target.runtime} on {self.target.architecture} (glibc {runtime.glibc[0]}.{runtime.glibc[1]})"
        if not tags_fit(installed.tags, self.target):
            self._error(
                installed.name,
                "platform",
                f"{installed.version} is built for {', '.join(installed.tags)}, which does not load on {where}",
            )
        elif built_here(installed.tags):
            self._add(
                Defect(
                    distribution=installed.name,
                    code="built-here",
                    detail=f"was built on some machine ({', '.join(installed.tags)}); it may need a newer glibc "
                    f"than {where} has",
                    severity="warning",
                )
            )

    def _check_extensions(self, installed: Installed) -> None:
        """Without a wheel's tags, the names of extension modules tell what they are for (PEP 3149)."""
        runtime = self.target.lambda_runtime
        fitting = f".cpython-{runtime.python[0]}{runtime.python[1]}-{self.target.machine}-linux-gnu.so"
        foreign = [f.path for f in installed.files if ".cpython-" in f.path and f.path.endswith((".so", ".pyd"))]
        foreign = [path for path in foreign if not path.endswith(fitting)]
        if foreign:
            self._error(installed.name, "platform", f"{foreign[0]} does not load on {self.target.runtime}")

    def _requirements(self, installed: Installed) -> tuple[Requirement, ...]:
        if installed.name not in self._parsed:
            parsed = []
            for line in installed.requirements:
                try:
                    parsed.append(Requirement(line))
                except InvalidRequirement:
                    self._error(installed.name, "metadata", f"its metadata requires {line!r}, which can't be read")
            self._parsed[installed.name] = tuple(parsed)
        return self._parsed[installed.name]

    def _error(self, name: NormalizedName, code: str, detail: str) -> None:
        self._add(Defect(distribution=name, code=code, detail=detail, severity="error"))

    def _add(self, defect: Defect) -> None:
        self.defects.setdefault((defect.distribution, defect.code, defect.detail), defect)
