"""What METADATA says of a licence becomes an SPDX expression only where one is meant."""

import pytest

from optimizer.inventory.licences import licence_files, parse_licence

MIT = "Classifier: License :: OSI Approved :: MIT License\n"
BSD = "Classifier: License :: OSI Approved :: BSD License\n"
APACHE = "Classifier: License :: OSI Approved :: Apache Software License\n"


def licence(fields):
    return parse_licence(f"Metadata-Version: 2.4\nName: x\nVersion: 1\n{fields}\nText\n".encode())


@pytest.mark.parametrize(
    ("fields", "expression", "said_by"),
    [
        ("License-Expression: mit and (apache-2.0 OR bsd-2-clause)\n", "MIT AND (Apache-2.0 OR BSD-2-Clause)", None),
        (f"License-Expression: Apache-2.0\n{MIT}License: BSD\n", "Apache-2.0", None),
        ("License-Expression: LicenseRef-Ours\n", "LicenseRef-Ours", None),
        (f"License: BSD-3-Clause\n{BSD}", "BSD-3-Clause", "License"),
        ("License: Apache License, Version 2.0\n", "Apache-2.0", "License"),
        ("License: The MIT License\n", "MIT", "License"),
        (MIT, "MIT", "classifiers"),
        ("Classifier: License :: OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)\n", "EPL-2.0", "classifiers"),
        (f"Classifier: License :: OSI Approved\n{MIT}", "MIT", "classifiers"),
    ],
)
def test_what_means_one_licence_is_an_expression(fields, expression, said_by):
    found = licence(fields)
    assert (found.expression, found.names, str(found)) == (expression, (), expression)
    assert found.said_by == (said_by or "License-Expression")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (BSD, ("BSD License",)),
        (f"{BSD}{APACHE}", ("Apache Software License", "BSD License")),
        (f"{BSD}{MIT}", ("BSD License", "MIT")),
        ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n", None),
        ("License: Dual License\n", ("Dual License",)),
        (f"License: Copyright me\n        All rights kept\n{BSD}", ("BSD License",)),
        ("License: Copyright me\n        All rights kept\n", ("Copyright me",)),
        ("License-Expression: no such thing\n", ("no such thing",)),
    ],
)
def test_what_may_mean_several_stays_as_it_stands(fields, names):
    found = licence(fields)
    assert found.expression is None
    assert found.known
    assert found.names == (names or ("GNU General Public License v3 (GPLv3)",))


@pytest.mark.parametrize("fields", ["", "License: UNKNOWN\n", "Classifier: License :: OSI Approved\n"])
def test_no_licence_is_unknown(fields):
    found = licence(fields)
    assert (found.known, str(found), found.said_by) == (False, "unknown", "nothing")


def test_metadata_that_is_no_text_is_unknown_and_no_crash():
    assert not parse_licence(b"\xff\xfe\x00junk").known


def test_licence_files_are_declared_or_in_their_folder_or_named_so():
    declared = licence("License-File: AUTHORS.rst\n")
    info = "x-1.dist-info"
    paths = [
        f"{info}/AUTHORS.rst",
        f"{info}/METADATA",
        f"{info}/licenses/deep/terms.txt",
        "x/LICENSE",
        "x/_vendor/y/COPYING.LESSER",
        "x/licence.py",
        "x/licensed/module.py",
        "x/notice_board.py",
    ]
    assert licence_files(paths, info, declared) == (paths[0], paths[2], paths[3], paths[4])
