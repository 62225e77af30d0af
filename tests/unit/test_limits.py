"""The table of limits and runtimes."""

import re

from optimizer import limits


def test_runtimes_are_keyed_by_their_lambda_name():
    for name, runtime in limits.RUNTIMES.items():
        assert name == f"python{runtime.version}"
        assert re.fullmatch(r"python3\.\d+", name)


def test_older_amazon_linux_stays_at_glibc_2_26_up_to_python_3_11():
    assert limits.RUNTIMES["python3.11"].glibc == (2, 26)
    assert limits.RUNTIMES["python3.12"].glibc == (2, 34)
