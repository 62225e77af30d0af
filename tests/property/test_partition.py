"""The pure core holds for any input: groups, roles, archives."""

import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer import graph
from optimizer.build.archive import write_archive
from optimizer.content.deflate import deflate, inflate
from optimizer.content.payload import END_BYTES, ENTRY_BYTES
from optimizer.models import Distribution, Entry, InstalledFile
from optimizer.partition import Item, Problem, solve

NAMES = [f"d{i}" for i in range(8)]
ROLES = ("first", "second", "rest")


@st.composite
def requirement_graphs(draw):
    return {name: draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)) for name in NAMES}


@st.composite
def problems(draw):
    requires = draw(requirement_graphs())
    roots = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    items = []
    for i, name in enumerate(NAMES):
        edges = [e for e in requires[name] if NAMES.index(e) > i]  # no cycles
        role = ROLES[roots.index(name) % 2] if name in roots else None
        size = draw(st.integers(1, 1000))
        items.append(
            Item(
                name=name,
                members=(name,),
                zipped_bytes=size,
                unzipped_bytes=size * 3,
                requires=tuple(sorted(set(edges) - {name})),
                role=role,
                root=role is not None,
            )
        )
    return Problem(items=tuple(items), roles=ROLES, rest="rest", layers=draw(st.integers(3, 4)))


def distributions(requires):
    file = {"location": "x", "bytes": 1, "mtime_ns": 0, "inode": 0, "executable": False}
    return [
        Distribution(
            name=name,
            version="1",
            requires=tuple(edges),
            files=(InstalledFile(path=f"{name}.py", **file),),
            outside_bytes=0,
            tags=(),
            info=f"{name}.dist-info",
        )
        for name, edges in requires.items()
    ]


@given(requirement_graphs(), st.randoms())
def test_every_distribution_is_in_one_group_whatever_the_order(requires, random):
    found = distributions(requires)
    groups = graph.make_groups(found)
    assert sorted(m for g in groups for m in g.members) == sorted(NAMES)
    random.shuffle(found)
    assert graph.make_groups(found) == groups


@given(requirement_graphs())
def test_members_of_a_cycle_reach_each_other(requires):
    for members in graph.cycles(requires):
        for member in members:
            assert set(members) <= graph.reach(requires[member], requires)


@given(problems())
def test_every_item_sits_in_one_layer_and_every_layer_is_counted(problem):
    answer = solve(problem)
    assert set(answer.assignment) == set(NAMES)
    assert len(answer.layers) == problem.layers
    assert set(answer.assignment.values()) <= {name for name, _ in answer.layers}
    assert set(answer.reasons) == set(NAMES)


@given(problems())
def test_roots_stay_in_their_layers(problem):
    answer = solve(problem)
    for item in problem.items:
        if item.role:
            assert answer.assignment[item.name] == item.role


@given(problems())
def test_what_only_one_role_needs_belongs_to_that_role(problem):
    answer = solve(problem)
    role_of = dict(answer.layers)
    requires = {i.name: i.requires for i in problem.items}
    reached = {
        role: graph.reach([i.name for i in problem.items if i.role == role], requires) for role in ("first", "second")
    }
    for item in problem.items:
        needing = [role for role, names in reached.items() if item.name in names]
        if item.role is None and len(needing) == 1:
            assert role_of[answer.assignment[item.name]] == needing[0]
        if item.role is None and not needing:
            assert role_of[answer.assignment[item.name]] == "rest"


@given(problems())
def test_requirements_of_what_is_not_pinned_point_to_the_same_or_an_earlier_role(problem):
    answer = solve(problem)
    order = {role: i for i, role in enumerate(problem.roles)}
    role_of = dict(answer.layers)
    items = {i.name: i for i in problem.items}
    for item in problem.items:
        for edge in item.requires:
            if items[edge].role is None:
                place = role_of[answer.assignment[edge]]
                assert order[place] <= order[role_of[answer.assignment[item.name]]]


@given(st.binary(max_size=5000))
def test_a_stream_gives_the_content_back_and_is_never_longer(content):
    stream = deflate(content)
    assert inflate(stream) == content
    assert len(stream.data) <= len(content)


paths = st.text(alphabet="abcäé_/", min_size=1, max_size=12).filter(
    lambda p: not p.startswith("/") and not p.endswith("/") and "//" not in p
)


@settings(max_examples=60)
@given(st.dictionaries(paths, st.binary(max_size=200), min_size=1, max_size=12), st.randoms())
def test_zips_are_exact_and_do_not_depend_on_the_order_of_entries(files, random):
    entries = []
    for path, content in files.items():
        stream = deflate(content)
        entry = Entry(path=path, mode=0o644, content="", bytes=len(content), stream_bytes=len(stream.data))
        entries.append((entry, stream))
    first, second = io.BytesIO(), io.BytesIO()
    written = write_archive(first, entries)
    random.shuffle(entries)
    write_archive(second, entries)
    assert first.getvalue() == second.getvalue()
    expected = sum(ENTRY_BYTES + 2 * len(e.path.encode()) + e.stream_bytes for e, _ in entries) + END_BYTES
    assert len(first.getvalue()) == written.zipped_bytes == expected
    with zipfile.ZipFile(first) as archive:
        assert {i.filename: archive.read(i) for i in archive.infolist()} == files
        assert all(i.external_attr >> 16 == 0o100644 for i in archive.infolist())
