"""What was built arrives in each tool's file as it is in the manifest, readable, and the same each time."""

import ast
import dataclasses
import itertools
import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.build import External
from optimizer.errors import UsageError
from optimizer.report.export import MARK, hcl_text, published_layers
from optimizer.report.export.names import Ids
from tests.unit.export import readers
from tests.unit.export.exporting import (
    EXTERNAL,
    HOSTILE,
    MANIFESTS,
    POLICY,
    PUBLISHED,
    SEVERAL,
    TEMPLATES,
    TOOLS,
    exports,
    function,
    manifest,
    publication,
    written,
)

BIN = Path(sys.executable).parent
TERRAFORM = shutil.which("terraform")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """All exports of all tools in a folder for each tool."""
    folder = tmp_path_factory.mktemp("exports")
    endings = {"terraform": "tf", "cdk": "py"}
    for tool in TOOLS:
        (folder / tool).mkdir()
        for name, text in exports(tool).items():
            file = f"{name.replace(' ', '_').replace(',', '')}.{endings.get(tool, 'yaml')}"
            (folder / tool / file).write_text(text)
    return folder


def run(*command, cwd, status=0):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_cfn_lint_finds_nothing_in_the_templates(files):
    paths = [str(path) for tool in TEMPLATES for path in sorted((files / tool).iterdir())]
    assert len(paths) == 2 * (len(MANIFESTS) + len(PUBLISHED))
    (files / "wrong.yaml").write_text(Path(paths[0]).read_text().replace("ContentUri", "ContentUrl"))
    found = run(BIN / "cfn-lint", "--format", "parseable", "--", *paths, "wrong.yaml", cwd=files, status=2)
    assert {line.split(":")[0] for line in found.splitlines()} == {"wrong.yaml"}  # it knows the resources of SAM


def test_ruff_finds_nothing_in_the_stacks(files):
    run(BIN / "ruff", "check", "--isolated", "--no-cache", "--select", "E4,E7,E9,F,I", "cdk", cwd=files)
    run(BIN / "ruff", "format", "--isolated", "--no-cache", "--line-length", "120", "--check", "cdk", cwd=files)


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_terraform_would_format_nothing_otherwise(files):
    assert run(TERRAFORM, "fmt", "-check", "-diff", "-recursive", "terraform", cwd=files) == ""


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_the_same_build_gives_the_same_file(tool, name):
    text = written(tool, MANIFESTS[name])
    assert text == written(tool, MANIFESTS[name])
    assert text.startswith(MARK)
    assert text.isprintable() or set(text) - {"\n"} == {c for c in text if c.isprintable()}
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("tool", TOOLS)
def test_variables_arrive_as_they_are(tool):
    read = readers.environment(tool, written(tool, MANIFESTS["hostile"]))
    assert read == HOSTILE | ({"OPEN": "${}"} if tool == "terraform" else {})


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_terraform_itself_reads_variables_as_they_are(tmp_path):
    text = written("terraform", MANIFESTS["hostile"])
    start = text.index("variables = {") + len("variables = ")
    values = text[start : text.index("\n    }\n", start) + 6]
    (tmp_path / "main.tf").write_text(f'output "x" {{\n  value = jsonencode({values})\n}}\n')
    run(TERRAFORM, "apply", "-auto-approve", "-input=false", cwd=tmp_path)
    found = json.loads(json.loads(run(TERRAFORM, "output", "-json", cwd=tmp_path))["x"]["value"])
    assert found == {key: unicodedata.normalize("NFC", value) for key, value in HOSTILE.items()}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("${}%#!'\"\\\n: -&*{}[]", max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_any_text_arrives_as_it_is(texts):
    values = {f"NAME_{i}": text.replace("\0", "") for i, text in enumerate(texts)}
    for value in values.values():
        assert readers.hcl_text(hcl_text.text(value)) == value
    for tool in set(TOOLS) - {"terraform"}:
        try:
            text = written(tool, manifest(function(environment=values)))
        except UsageError as refused:
            assert any(marker in str(refused) for marker in ("{{resolve:", "${Token["))  # noqa: PT017  either is right
            continue
        found = readers.environment(tool, text)
        assert found == values, tool


@pytest.mark.parametrize("tool", ["sam", "cloudformation", "cdk", "serverless"])
def test_what_cloudformation_would_replace_is_refused(tool):
    for where in ({"environment": {"AA": "{{resolve:ssm:/x}}"}}, {"policy": {"Statement": [{"Sid": "{{resolve:x}}"}]}}):
        with pytest.raises(UsageError, match="can't be told not to"):
            written(tool, manifest(function(**where)))
    written("terraform", manifest(function(environment={"AA": "{{resolve:ssm:/x}}"})))


def test_what_the_cdk_would_replace_is_refused():
    with pytest.raises(UsageError, match="The CDK"):
        written("cdk", manifest(function(environment={"AA": "${Token[AWS.Region.4]}"})))


def test_serverless_resolves_none_of_its_variables_in_a_name():
    text = written("serverless", manifest(function(handler=r"a\${env:HOME}.b")))
    assert readers.template(text)["functions"]["images"]["handler"] == r"a\\\${env:HOME}.b"
    with pytest.raises(UsageError, match="no way to write"):
        written("serverless", manifest(function(handler="$${env:HOME}.b")))


# order, layers, versions


def test_layers_are_attached_in_order_with_external_ones_behind():
    built = manifest(
        function(layers=("web", "aws-core"), external_layers=(External(arn=EXTERNAL, unzipped_bytes=9),)),
    )
    refs = [{"Ref": "WebLayer"}, {"Ref": "AwsCoreLayer"}, EXTERNAL]
    sam = readers.of_type(readers.template(written("sam", built)), "Serverless::Function")
    plain = readers.of_type(readers.template(written("cloudformation", built)), "Lambda::Function")
    assert sam["ImagesFunction"]["Layers"] == plain["ImagesFunction"]["Layers"] == refs
    serverless = readers.template(written("serverless", built))["functions"]["images"]["layers"]
    assert serverless == [{"Ref": "WebLambdaLayer"}, {"Ref": "AwsCoreLambdaLayer"}, EXTERNAL]
    terraform = readers.terraform(written("terraform", built))["aws_lambda_function"]["images"]["layers"]
    kept = [one for one in terraform if not one.lstrip().startswith("#")]
    assert kept == [
        "${aws_lambda_layer_version.web.arn}",
        "${aws_lambda_layer_version.aws_core.arn}",
        f'"{EXTERNAL}"',
    ]
    cdk = readers.calls(written("cdk", built))["lambda_.Function"][0]["layers"]
    assert [one.split("(")[0] for one in cdk] == [
        "web_layer",
        "aws_core_layer",
        "lambda_.LayerVersion.from_layer_version_arn",
    ]
    assert EXTERNAL in cdk[2]


def test_every_layer_stays_when_a_newer_one_comes():
    built = MANIFESTS["plain"]
    for one in readers.of_type(readers.template(written("sam", built)), "Serverless::LayerVersion").values():
        assert one["RetentionPolicy"] == "Retain"
    resources = readers.template(written("cloudformation", built))["Resources"]
    extended = readers.template(written("serverless", built))["resources"]["extensions"]
    kept = [one for one in resources.values() if one["Type"].endswith(("LayerVersion", "Lambda::Version"))]
    assert len(kept) == 3
    for one in (*kept, *extended.values()):
        assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert set(extended) == {"AwsCoreLambdaLayer", "WebLambdaLayer"}
    terraform = readers.terraform(written("terraform", built))["aws_lambda_layer_version"]
    assert [one["skip_destroy"] for one in terraform.values()] == [True, True]
    cdk = readers.calls(written("cdk", built))["lambda_.LayerVersion"]
    assert {one["removal_policy"] for one in cdk} == {"RemovalPolicy.RETAIN"}


def changed(built, name):
    """The same with other content in one artifact."""
    artifacts = [dataclasses.replace(a, fingerprint="f" * 64) if a.name == name else a for a in built.artifacts]
    return dataclasses.replace(built, artifacts=tuple(artifacts))


@pytest.mark.parametrize("name", ["aws-core", "images"])
def test_a_new_version_is_made_where_a_layer_or_the_code_changed(name):
    before, after = manifest(), changed(manifest(), name)
    old, new = (readers.template(written("cloudformation", one)) for one in (before, after))
    versions = [next(iter(readers.of_type(one, "Lambda::Version"))) for one in (old, new)]
    assert versions[0] != versions[1]
    for one, version in zip((old, new), versions, strict=True):
        alias = readers.of_type(one, "Lambda::Alias")["ImagesAlias"]
        assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    # SAM hashes the function's properties, where a layer is a Ref: the description has to tell
    told = [
        readers.of_type(readers.template(written("sam", one)), "Serverless::Function")["ImagesFunction"]
        for one in (before, after)
    ]
    assert told[0]["Description"] != told[1]["Description"]
    assert told[0]["AutoPublishAliasAllProperties"] is True


@pytest.mark.parametrize("setting", [{"memory_mb": 1024}, {"environment": {"AA": "b"}}, {"handler": "x.y"}])
def test_a_new_version_is_made_where_settings_changed(setting):
    def version(**more):
        text = written("cloudformation", manifest(function(**more)))
        return next(iter(readers.of_type(readers.template(text), "Lambda::Version")))

    assert version() != version(**setting)
    assert version() == version(check_path=None, tags={"a": "b"})


def test_nothing_of_the_build_stands_in_files_that_read_it():
    for tool in ("terraform", "cdk"):
        assert written(tool, manifest()) == written(tool, changed(manifest(), "aws-core"))
    for tool in ("sam", "cloudformation", "serverless"):
        assert written(tool, manifest()) != written(tool, changed(manifest(), "aws-core"))


# URLs and permissions


def test_a_public_url_has_both_permissions():
    built = MANIFESTS["public"]
    document = readers.template(written("cloudformation", built))
    permissions = readers.of_type(document, "Lambda::Permission").values()
    expected = {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert {one["Action"] for one in permissions} == expected
    assert all(one["FunctionName"] == {"Ref": "ImagesAlias"} for one in permissions)
    assert readers.of_type(document, "Lambda::Url")["ImagesUrl"]["AuthType"] == "NONE"
    terraform = readers.terraform(written("terraform", built))
    assert {one["action"].strip('"') for one in terraform["aws_lambda_permission"].values()} == expected
    assert terraform["aws_lambda_permission"]["images_invoke"]["invoked_via_function_url"] is True
    serverless = readers.template(written("serverless", built))
    assert serverless["functions"]["images"]["url"] is True
    beside = serverless["resources"]["Resources"]["ImagesInvokePermission"]["Properties"]
    assert beside["InvokedViaFunctionUrl"] is True
    assert beside["FunctionName"] == {"Ref": "ImagesLambdaFunction"}


def test_a_url_asks_for_iam_and_none_is_none():
    for url, auth in (("iam", "AWS_IAM"), ("none", None)):
        built = manifest(function(url=url))
        document = readers.template(written("cloudformation", built))
        urls = readers.of_type(document, "Lambda::Url").values()
        assert [one["AuthType"] for one in urls] == [auth][: auth is not None]
        assert not readers.of_type(document, "Lambda::Permission")
        sam = readers.of_type(readers.template(written("sam", built)), "Serverless::Function")["ImagesFunction"]
        assert sam.get("FunctionUrlConfig", {}).get("AuthType") == auth
        assert ("AWS_IAM" in written("terraform", built)) is (auth is not None)
        assert ("add_function_url" in written("cdk", built)) is (auth is not None)
        assert ("url" in readers.template(written("serverless", built))["functions"]["images"]) is (auth is not None)


def test_settings_roles_and_tags_are_those_of_each_function():
    document = readers.template(written("cloudformation", SEVERAL))
    functions = readers.of_type(document, "Lambda::Function")
    assert functions["Thumbs2Function"]["Role"] == "arn:aws:iam::123456789012:role/thumbs"
    assert functions["ImagesFunction"]["Role"] == {"Fn::GetAtt": ["ImagesRole", "Arn"]}
    assert functions["ImagesFunction"]["Tags"] == [
        {"Key": "team", "Value": "pictures"},
        {"Key": "cost centre", "Value": "4/7 + 1"},
    ]
    assert "Layers" not in functions["NightlyFunction"]
    roles = readers.of_type(document, "IAM::Role")
    assert roles["ImagesRole"]["Policies"][0]["PolicyDocument"] == POLICY
    assert "Policies" not in roles["NightlyRole"]
    serverless = readers.template(written("serverless", SEVERAL))
    assert serverless["functions"]["thumbs2"]["role"] == "arn:aws:iam::123456789012:role/thumbs"
    own = serverless["resources"]["Resources"]
    assert own["ImagesRole"]["Properties"]["Policies"][0]["PolicyDocument"] == POLICY
    terraform = readers.terraform(written("terraform", SEVERAL))
    assert terraform["aws_lambda_function"]["thumbs_2"]["role"] == '"arn:aws:iam::123456789012:role/thumbs"'
    assert set(terraform["aws_iam_role_policy"]) == {"images"}
    cdk = readers.calls(written("cdk", SEVERAL))
    assert cdk["iam.PolicyDocument.from_json"][0][""] == [POLICY]
    assert [one[""] for one in cdk["Tags.of(images).add"]] == [["team", "pictures"], ["cost centre", "4/7 + 1"]]


def test_layers_are_shared_with_those_that_the_configuration_names():
    built = MANIFESTS["shared"]
    expected = {("210987654321", None), ("*", "o-a1b2c3d4e5")}
    for tool in ("sam", "cloudformation"):
        found = readers.of_type(readers.template(written(tool, built)), "Lambda::LayerVersionPermission").values()
        assert {(one["Principal"], one.get("OrganizationId")) for one in found} == expected
        assert len(found) == 4
    terraform = readers.terraform(written("terraform", built))["aws_lambda_layer_version_permission"]
    assert len(terraform) == 4
    assert {one["statement_id"] for one in terraform.values()} == {
        '"layer-optimizer-210987654321"',
        '"layer-optimizer-o-a1b2c3d4e5"',
    }
    assert len(readers.calls(written("cdk", built))["aws_core_layer.add_permission"]) == 2


# published layers


def test_published_layers_are_attached_by_arn_region_or_parameter():
    def layers(name):
        document = readers.template(written("cloudformation", SEVERAL, PUBLISHED[name]))
        assert not readers.of_type(document, "Lambda::LayerVersion")
        return readers.of_type(document, "Lambda::Function")["ImagesFunction"]["Layers"], document

    arns, _ = layers("one region")
    assert arns == [f"arn:aws:lambda:eu-central-1:123456789012:layer:{name}:7" for name in ("web", "aws-core")]
    mapped, document = layers("two regions")
    assert mapped[1] == {"Fn::FindInMap": ["LayerArns", {"Ref": "AWS::Region"}, "AwsCore"]}
    assert document["Mappings"]["LayerArns"]["us-east-1"]["AwsCore"].endswith("us-east-1:123456789012:layer:aws-core:7")
    named, document = layers("parameters")
    assert named == [{"Ref": "WebLayer"}, {"Ref": "AwsCoreLayer"}]
    assert document["Parameters"]["WebLayer"] == {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/layers/images/web",
    }
    text = written("terraform", SEVERAL, PUBLISHED["parameters"])
    assert 'data "aws_ssm_parameter" "web_layer"' in text
    assert "data.aws_ssm_parameter.web_layer.insecure_value," in text
    assert "aws_lambda_layer_version" not in text
    text = written("serverless", SEVERAL, PUBLISHED["two regions"])
    assert "${self:custom.layerArns.${aws:region}.Web}" in readers.template(text)["functions"]["images"]["layers"]
    text = written("serverless", SEVERAL, PUBLISHED["parameters"])
    assert "${ssm:/layers/images/web}" in readers.template(text)["functions"]["images"]["layers"]
    assert "value_for_string_parameter(self, '/layers/images/web')" in ast.unparse(
        ast.parse(written("cdk", SEVERAL, PUBLISHED["parameters"]))
    )


def test_layers_that_were_published_with_other_content_are_refused():
    stale = publication(changed(SEVERAL, "web"), "eu-central-1")
    with pytest.raises(UsageError, match="'web' with fingerprint ffffffffffff"):
        written("sam", SEVERAL, stale)
    missing = publication(manifest(function(layers=("web",))), "eu-central-1")
    with pytest.raises(UsageError, match="has no layer 'aws-core'"):
        written("sam", SEVERAL, missing)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "is not what publish writes"),
        ({"schema": 2, "layers": []}, "is not what publish writes"),
        ({"schema": 1, "layers": [], "error": {"code": "aws"}}, "failed"),
        ({"schema": 1, "layers": [{"name": "web"}]}, r"layers\[0\].region is no text"),
        ({"schema": 1, "layers": ["web"]}, r"layers\[0\].name is no text"),
    ],
)
def test_another_document_is_refused(document, told):
    with pytest.raises(UsageError, match=told):
        published_layers(document, "x.json")


def test_a_publish_that_reached_some_regions_is_refused():
    document = publication(SEVERAL, "eu-central-1", "us-east-1")
    document["layers"].pop()
    with pytest.raises(UsageError, match="was not published in us-east-1"):
        published_layers(document, "x.json")


# names


def test_ids_are_readable_and_no_two_are_the_same():
    ids = Ids()
    assert ids.pascal("ai-image_analyzer", "Function") == "AiImageAnalyzer"
    assert ids.snake("ai-image_analyzer", "Function") == "ai_image_analyzer"
    assert ids.pascal("ai-image_analyzer", "Function") == "AiImageAnalyzer"
    assert ids.pascal("ai_image-analyzer", "Function") == "AiImageAnalyzer2"
    assert ids.snake("ai_image-analyzer", "Function") == "ai_image_analyzer_2"
    assert ids.pascal("3d", "Layer") == "Layer3d"
    assert ids.pascal("日本", "Layer") == "Layer"


@given(st.lists(st.text(max_size=12), unique=True, max_size=12))
def test_ids_hold_letters_and_digits_alone(names):
    ids = Ids()
    for make, extra in ((ids.pascal, ""), (ids.snake, "_")):
        found = [make(name, "Layer") for name in names]
        assert len({one.lower() for one in found}) == len(names)
        for one in found:
            assert one[0].isalpha()
            assert all(c.isascii() and (c.isalnum() or c in extra) for c in one)


def test_hostile_names_do_no_harm():
    for name, tool in itertools.product(("a\nb: c", 'x" { }', "${y}", "日本"), TOOLS):
        text = written(tool, manifest(function(name, artifact="images", environment={"AA": "b"})))
        assert readers.environment(tool, text) == {"AA": "b"}
