"""[pure] What a function is told that asks for a service whose model does not ship: how to add it.

botocore would say `Unknown service: 'dynamodb'` and list what it knows, which reads as if AWS had no such service. So
two files ship with a few lines at their end, where service models were left out and only then: botocore/exceptions.py
and boto3/exceptions.py. The exceptions keep their classes, their bases and the way they are pickled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.config import Config
    from optimizer.models import InstalledFile

CHANGED = "it says how to add a service whose model does not ship"
"""Why a file ships with something added to it."""
_MEND = "if '{name}' is an AWS service, add it to `services` under [aws] in {config} and deploy again"
_BOTOCORE = """

# Added by layer-optimizer, which left out service models that nothing seemed to use.
_unknown = globals().get('UnknownServiceError')
if '{{service_name}}' in getattr(_unknown, 'fmt', '') and '{{known_service_names}}' in _unknown.fmt:
    _unknown.fmt = (
        "Unknown service: '{{service_name}}'. layer-optimizer ships only the service models "
        "{{known_service_names}}: {mend}."
    )
"""
_BOTO3 = """

# Added by layer-optimizer, which left out service models that nothing seemed to use.
def _say_what_ships(error):
    made = error.__init__

    def __init__(self, service_name, *args, **kwargs):
        made(self, service_name, *args, **kwargs)
        if self.args:
            self.args = (
                f"{{self.args[0]}}\\nlayer-optimizer ships only the service models that it found a use for: {mend}.",
                *self.args[1:],
            )

    error.__init__ = __init__


if 'ResourceNotExistsError' in globals():
    _say_what_ships(ResourceNotExistsError)
"""
_ADDED = {"botocore/exceptions.py": _BOTOCORE, "boto3/exceptions.py": _BOTO3}


def saying_how_to_add(files: list[InstalledFile], config: Config) -> list[InstalledFile]:
    """The files that ship of botocore or boto3, with what is added to them."""
    path = config.path.resolve()
    name = path.relative_to(config.root).as_posix() if path.is_relative_to(config.root) else path.name
    mend = _MEND.format(name="{service_name}", config=_quoted(name))
    return [replace(f, added=_ADDED[f.path].format(mend=mend)) if f.path in _ADDED else f for f in files]


def _quoted(name: str) -> str:
    """A file's name as it may stand inside a literal that braces mean something in."""
    return "".join(c if c.isalnum() or c in "/._- " else "_" for c in name)
