"""Which modules the layers offer, as literal tables."""

import pytest

from optimizer.models import Target
from optimizer.verify.modules import find_modules

TARGET = Target(runtime="python3.11", architecture="x86_64")


@pytest.mark.parametrize(
    ("paths", "modules"),
    [
        (["python/x/__init__.py", "python/x/y.py", "python/x/z/__init__.py"], ["x"]),
        (["python/six.py", "python/__pycache__/six.cpython-311.pyc"], ["six"]),
        (["python/google/cloud/storage/__init__.py", "python/google/cloud/storage/blob.py"], ["google.cloud.storage"]),
        (["python/google/api/a_pb2.py", "python/google/auth/__init__.py"], ["google.api.a_pb2", "google.auth"]),
        (["python/3ab81__mypyc.cpython-311-x86_64-linux-gnu.so"], ["3ab81__mypyc"]),
        (["python/x/__init__.abi3.so", "python/_cffi_backend.so"], ["_cffi_backend", "x"]),
        (["python/x.cpython-312-x86_64-linux-gnu.so", "python/x.cpython-311-aarch64-linux-gnu.so"], []),
        (["python/x-1.0.dist-info/METADATA", "python/numpy.libs/libblas.so", "python/share/doc/a.txt"], []),
        (["python/foo-bar.py", "python/__init__.py", "python/x.pth", "python/x/py.typed"], []),
        (["python/lib/python3.11/site-packages/x/__init__.py"], ["x"]),
        (["python/legacy.pyc"], ["legacy"]),
        (["bin/x.py"], []),
        (["python/a/b/__init__.py", "python/a/c/__init__.py"], ["a.b", "a.c"]),
    ],
)
def test_top_level_modules_and_portions_of_namespaces(paths, modules):
    assert list(find_modules(paths, TARGET)) == modules
    assert list(find_modules(reversed(paths), TARGET)) == modules


def test_the_target_decides_what_is_compiled_for_it():
    paths = ["python/x.cpython-313-aarch64-linux-gnu.so"]
    assert find_modules(paths, Target(runtime="python3.13", architecture="arm64")) == ("x",)
