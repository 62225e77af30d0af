"""`export` on the command line: from build to a file, whose own head and whose page tell what to call."""

import json
import re
import shlex
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from optimizer.cli.export import Tool, export
from optimizer.errors import ArtifactError, DiskError, UsageError
from tests.support import make_project, run_optimizer
from tests.unit.export import readers
from tests.unit.export.exporting import HOSTILE, TOOLS, function, lay_zips, manifest, publication

PAGE = (Path(__file__).parents[3] / "docs/exporting.md").read_text()
COMMANDS = re.findall(r"^\$ (.+)$", PAGE.split("<!-- help")[0], re.MULTILINE)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project that was built, as the working folder."""
    make_project(tmp_path)
    lay_zips(manifest(), tmp_path / "layers/.build")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("tool", TOOLS)
def test_paths_lead_from_the_written_file_to_the_zips(project, tool):
    output = project / "infra/deep/file"
    export(Tool(tool), output=output)
    text = output.read_text()
    assert "../../layers/.build" in text
    if tool == "cloudformation":
        content = readers.of_type(readers.template(text), "Lambda::LayerVersion")["WebLayer"]["Content"]
        assert (output.parent / content).resolve() == project / "layers/.build/web.zip"


@pytest.mark.parametrize("tool", TOOLS)
def test_the_head_says_where_the_tool_is_called(project, tool):  # noqa: ARG001  # the working folder
    export(Tool(tool), output=Path("infra/file"))
    head = [line.strip("# ") for line in Path("infra/file").read_text().splitlines() if line.startswith("#")]
    assert "cd infra" in head
    assert head.index("cd infra") > head.index("python -m optimizer build")
    export(Tool(tool), output=Path("file"))
    assert "#   cd " not in Path("file").read_text()


def test_without_a_file_it_goes_to_stdout_with_paths_from_here(project, capsys):
    export(Tool.SAM, artifacts=Path("layers/.build"))
    assert "ContentUri: layers/.build/web.zip" in capsys.readouterr().out
    assert [path.name for path in project.iterdir() if path.is_file()] == ["requirements.txt"]


def test_its_own_file_is_written_again_and_others_are_not(project):
    output = project / "template.yaml"
    export(Tool.SAM, output=output)
    first = output.read_text()
    export(Tool.SAM, output=output)
    assert output.read_text() == first
    output.write_text("# mine\n" + first)
    with pytest.raises(UsageError, match="was not written by export"):
        export(Tool.SAM, output=output)
    assert output.read_text() == "# mine\n" + first
    export(Tool.SAM, output=output, force=True)
    assert output.read_text() == first
    assert not list(project.glob(".*.part"))


@pytest.mark.usefixtures("project")
def test_where_nothing_was_built_it_says_what_to_do():
    with pytest.raises(ArtifactError, match=re.escape("python -m optimizer build --output nothing")):
        export(Tool.SAM, artifacts=Path("nothing"))


def test_what_publish_wrote_has_to_be_there_and_json(project):
    with pytest.raises(DiskError, match=r"published\.json can't be read"):
        export(Tool.SAM, published=Path("published.json"))
    (project / "published.json").write_text("{")
    with pytest.raises(UsageError, match="is no JSON"):
        export(Tool.SAM, published=Path("published.json"))


def test_the_head_tells_how_to_publish_with_the_same_prefix(project, capsys):
    (project / "published.json").write_text(json.dumps(publication(manifest(), "eu-central-1", ssm="/layers/images")))
    export(Tool.SAM, artifacts=Path("layers/.build"), published=Path("published.json"))
    head = capsys.readouterr().out
    publish = "publish --artifacts layers/.build --ssm /layers/images --format json > published.json"
    assert f"#   python -m optimizer {publish}\n" in head
    assert "#   python -m optimizer build --output layers/.build\n" in head


def test_from_sources_to_a_file_with_published_layers(tmp_path):
    site = make_project(tmp_path)
    run_optimizer(tmp_path, "build", "--path", str(site))
    done = run_optimizer(
        tmp_path, "publish", "--local", "--artifacts", "layers/.build", "--ssm", "/layers/x/", "--format", "json"
    )
    (tmp_path / "published.json").write_text(done.stdout)
    assert {one["parameter"] for one in json.loads(done.stdout)["layers"]} >= {"/layers/x/aws-core"}
    run_optimizer(
        tmp_path, "export", "--format", "cloudformation", "--published", "published.json", "--output", "t.yaml"
    )
    document = readers.template((tmp_path / "t.yaml").read_text())
    assert document["Parameters"]["AwsCoreLayer"]["Default"] == "/layers/x/aws-core"


@pytest.mark.parametrize("command", dict.fromkeys(c for c in COMMANDS if " export " in c))
def test_the_page_has_commands_that_run(project, command):
    (project / "published.json").write_text(json.dumps(publication(manifest(), "eu-central-1", ssm="/layers/images")))
    run_optimizer(project, *shlex.split(command)[3:])


def test_the_page_has_the_commands_that_the_files_tell(project):
    for tool, name in zip(
        TOOLS, ("template.yaml", "template.yaml", "layers.tf", "app.py", "serverless.yml"), strict=True
    ):
        export(Tool(tool), output=project / name, force=True)
        told = re.findall(r"^#   (.+)$", (project / name).read_text(), re.MULTILINE)
        assert [one for one in told if not one.startswith("python -m")]
        for one in told:
            if " export " not in one:
                assert one in COMMANDS, one
    others = {c.split()[0] for c in COMMANDS} - {"python"}
    assert others == {"sam", "aws", "terraform", "cdk", "serverless"}


def test_the_page_publishes_as_the_head_tells():
    publish = next(c for c in COMMANDS if " publish " in c)
    before, _, after = publish.partition(" > ")
    words = shlex.split(before)[3:]
    assert words[:3] == ["publish", "--artifacts", "layers/.build"]
    assert after == "published.json"


@pytest.fixture
def packaged(project, monkeypatch):
    """AWS as moto has it, with the zips in a bucket, where `aws cloudformation package` would put them."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "x")
    lay_zips(manifest(function(environment=HOSTILE)), project / "layers/.build")
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-central-1")
        s3.create_bucket(Bucket="zips", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for path in (project / "layers/.build").glob("*.zip"):
            s3.upload_file(str(path), "zips", path.name)
        yield boto3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cloudformation_makes_layers_role_function_and_version_of_it(project, packaged):
    export(Tool.CLOUDFORMATION, output=project / "t.yaml")
    document = readers.template((project / "t.yaml").read_text())
    del document["Outputs"]
    for name, one in list(document["Resources"].items()):
        if one["Type"] in {"AWS::Lambda::Alias", "AWS::Lambda::Url"}:  # moto's CloudFormation has none of them
            del document["Resources"][name]
        for key in ("Content", "Code"):
            path = one.get("Properties", {}).get(key)
            if path is not None:
                one["Properties"][key] = {"S3Bucket": "zips", "S3Key": Path(path).name}
    cloudformation = packaged.client("cloudformation", region_name="eu-central-1")
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"])
    made = packaged.client("lambda", region_name="eu-central-1")
    found = made.get_function(FunctionName="images")["Configuration"]
    assert found["Environment"]["Variables"] == HOSTILE
    versions = {one["LayerName"]: one["LatestMatchingVersion"] for one in made.list_layers()["Layers"]}
    assert {name.split("-")[1] for name in versions} == {"AwsCoreLayer", "WebLayer"}  # moto names layers itself
    assert all(one["CompatibleRuntimes"] == ["python3.11"] for one in versions.values())
    assert len(made.list_versions_by_function(FunctionName="images")["Versions"]) == 2
    assert (found["Handler"], found["MemorySize"], found["Timeout"]) == ("lambda_function.handler", 512, 30)
    role = packaged.client("iam").get_role(RoleName=found["Role"].split("/")[-1])
    assert role["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
