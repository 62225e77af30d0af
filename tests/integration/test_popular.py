"""Distributions that many functions use: resolved for the target, slimmed, built, and proved by running.

Needs the package index, and a Python 3.11 to run them with: `./scripts/test -m network -k popular`.
"""

import json
import subprocess
import sys

import pytest

CONFIG = """
[[function]]
name = "app"
source = "src"
requirements = "requirements.txt"
handler = "handler.handler"
runtime = "python3.11"
regions = ["eu-central-1"]

[[layer]]
name = "first"
roots = [{root}]

[[layer]]
name = "second"
"""
STACKS = {
    "numpy": ("numpy", "numpy.testing", "numpy.random", "numpy.fft"),
    "pandas": ("pandas", "pandas.testing", "numpy.testing"),
    "pyarrow": ("pyarrow", "pyarrow.parquet", "pyarrow.compute"),
    "scikit-learn": ("sklearn.linear_model", "sklearn.ensemble", "scipy.stats", "scipy.optimize"),
    "opencv-python-headless": ("cv2",),
    "cryptography": ("cryptography.x509", "cryptography.hazmat.primitives.asymmetric.rsa"),
    "lxml": ("lxml.etree", "lxml.html"),
    "pillow": ("PIL.Image", "PIL.ImageFont", "PIL.ImageCms"),
    "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http": (
        "opentelemetry.sdk.trace",
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    ),
    "google-cloud-storage google-cloud-pubsub": ("google.cloud.storage", "google.cloud.pubsub_v1"),
    "azure-storage-blob": ("azure.storage.blob",),
    "ruamel.yaml": ("ruamel.yaml",),
    "psycopg2-binary": ("psycopg2",),
    "jsonschema": ("jsonschema", "jsonschema_specifications"),
    "fs setuptools<81": ("fs", "pkg_resources"),
}
"""Requirements, and what has to be importable beside the top-level modules."""

pytestmark = pytest.mark.network


def optimizer(project, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "optimizer", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def project(tmp_path, requirements):
    (tmp_path / "config").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/handler.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    (tmp_path / "requirements.txt").write_text("\n".join(requirements) + "\n")
    root = requirements[0].split("<")[0]
    (tmp_path / "config/layers.toml").write_text(CONFIG.format(root=json.dumps(root)))
    return tmp_path


@pytest.mark.parametrize("requirements", STACKS, ids=lambda r: r.split()[0])
def test_popular_distributions_import_after_slimming(tmp_path, requirements):
    """Every top-level module, the metadata of each distribution, and what is asked for beside."""
    root = project(tmp_path, requirements.split())
    asked = [part for module in STACKS[requirements] for part in ("--import", module)]
    done = optimizer(root, "verify", "--requirements", "requirements.txt", "--format", "json", *asked)
    assert done.returncode in {0, 1}, done.stderr
    assert json.loads(done.stdout)["findings"] == []


def test_a_popular_stack_that_is_too_large_says_by_how_much_and_what_to_do(tmp_path):
    root = project(tmp_path, ["pandas", "numpy", "pyarrow", "scipy", "boto3"])
    done = optimizer(root, "verify", "--requirements", "requirements.txt", "--format", "json", "--import", "pandas")
    document = json.loads(done.stdout)
    if done.returncode == 0:
        assert document["findings"] == []
    else:
        assert "262,144,000" in document["error"]["message"] or "250" in document["error"]["message"]
        assert document["error"]["mend"]
