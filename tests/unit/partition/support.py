"""Small problems, and what an answer to one costs by the definition alone."""

from optimizer.partition import Item, Problem


def item(name, size=1, requires=(), role=None):
    return Item(
        name=name,
        members=(name,),
        zipped_bytes=size,
        unzipped_bytes=size,
        requires=tuple(requires),
        role=role,
        root=role is not None,
    )


def problem(*items, layers=3, roles=("aws", "web", "rest"), **others):
    others = {"locked_layers": tuple(sorted(set(others.get("locked", {}).values()))), **others}
    return Problem(
        items=tuple(sorted(items, key=lambda i: i.name)), roles=roles, rest=roles[-1], layers=layers, **others
    )


def alone(**rates):
    """Each item changes by itself, so many times a year."""
    return tuple((float(rate), frozenset({name})) for name, rate in rates.items())


def cost_of(problem_, assignment):
    """What the docstring of `document` says: nothing of the solver's own arithmetic."""
    total = 0.0
    for weight, names in problem_.scenarios:
        for layer in {assignment[name] for name in names}:
            inside = [i.zipped_bytes for i in problem_.items if assignment[i.name] == layer]
            total += weight * (sum(inside) + problem_.publish_bytes)
    return total
