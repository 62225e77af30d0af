"""The project that a manifest could have been built from: its configuration and its committed locks."""

import json

from optimizer.plan import lock_text

CONFIG = """
[[function]]
name = "{function.name}"
source = "function"
requirements = "function/requirements.txt"
handler = "{function.handler}"
runtime = "{function.runtime}"
regions = {regions}
memory_mb = {function.memory_mb}
timeout_seconds = {function.timeout_seconds}
policy = "policy.json"
url = "{function.url}"

[[layer]]
name = "aws-core"
roots = ["core"]

[[layer]]
name = "web"
"""


def configure(folder, manifest, *, regions=None):
    """Write configuration, policy and locks into the project's folder."""
    function = manifest.functions[0]
    (folder / "config").mkdir(exist_ok=True)
    text = CONFIG.format(function=function, regions=json.dumps(regions or list(function.regions)))
    (folder / "config/layers.toml").write_text(text)
    (folder / "policy.json").write_text(json.dumps(function.policy))
    commit_locks(folder, manifest)


def commit_locks(folder, manifest):
    """Write the locks that belong to what was built."""
    for artifact in manifest.artifacts:
        if artifact.kind == "layer":
            lock = lock_text(artifact.name, manifest.target, artifact.fingerprint, ())
            (folder / "layers" / artifact.name).mkdir(parents=True, exist_ok=True)
            (folder / "layers" / artifact.name / "layer.lock").write_text(f"{lock}{artifact.name}==1 sha256:0\n")
