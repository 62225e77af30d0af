"""The selection rules take what nothing reads at run time, and nothing else."""

from optimizer.config import load
from optimizer.inventory import InstalledEnvironment, read_inventory
from optimizer.select import select_distribution
from tests.support import lay_out, make_project


def kept(root, site, name):
    config = load(root / "config/layers.toml")
    inventory = read_inventory(config, InstalledEnvironment.of_folder(site))
    selection = select_distribution(next(d for d in inventory.distributions if d.name == name), config)
    return {file.path for file in selection.files if ".dist-info" not in file.path}


def test_a_module_without_source_ships(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"web/__init__.py": "", "web/core.pyc": b"x", "web/a.py": "", "web/a.pyc": b"x"})
    assert kept(tmp_path, site, "web") == {"web/__init__.py", "web/core.pyc", "web/a.py"}


def test_a_package_called_bin_ships_and_scripts_do_not(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"bin/__init__.py": "", "bin/tool.py": ""})
    lay_out(site, "tool", files={"tool.py": "", "bin/run": "#!/bin/sh"})
    assert kept(tmp_path, site, "web") == {"bin/__init__.py", "bin/tool.py"}
    assert kept(tmp_path, site, "tool") == {"tool.py"}
