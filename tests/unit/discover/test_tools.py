"""What the files of SAM, Serverless and Terraform say: values with their places, and what they leave to others."""

import shutil
import textwrap
from pathlib import Path

import pytest

from optimizer.discover.files import Project
from optimizer.discover.sam import read_sam
from optimizer.discover.serverless import read_serverless
from optimizer.discover.survey import survey
from optimizer.discover.terraform import read_terraform

PROJECTS = Path(__file__).parents[2] / "fixtures/projects"


@pytest.fixture
def project(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return Project(tmp_path)

    return write


def told(found, key):
    return found.values[key].value, found.values[key].where


def test_a_template_says_its_own_before_what_is_global():
    orders, mail, _ = read_sam(Project(PROJECTS / "sam")).functions
    assert told(orders, "name") == ("staging-orders", "template.yaml:45")
    assert told(orders, "source") == ("src/api/", "template.yaml:46")
    assert told(orders, "handler") == ("orders.main.handler", "template.yaml:47")
    assert told(orders, "runtime") == ("python3.11", "template.yaml:23")
    assert told(orders, "memory_mb") == ("1024", "template.yaml:48")
    assert told(mail, "memory_mb") == ("512", "template.yaml:27")
    assert told(mail, "timeout_seconds") == ("60", "template.yaml:70")
    assert not mail.values["name"].sure


def test_a_template_without_its_parameters_values_keeps_the_expression():
    orders, _, _ = read_sam(Project(PROJECTS / "sam")).functions
    environment = orders.environment
    assert (environment["STAGE"].value, environment["STAGE"].how) == ("staging", "!Ref Stage")
    assert (environment["TABLE_NAME"].value, environment["TABLE_NAME"].how) == (None, "!Ref OrdersTable")
    assert environment["QUEUE_URL"].how == "!GetAtt MailQueue.QueueUrl"
    assert [layer.value for layer in orders.layers] == [
        "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python311-x86_64:18"
    ]


def test_functions_in_other_languages_and_images_are_passed_over(project):
    made = project(
        template_DOT_yaml="""
        Resources:
          Image: {Type: "AWS::Serverless::Function", Properties: {PackageType: Image}}
          Script: {Type: "AWS::Lambda::Function", Properties: {Handler: a.b, Runtime: nodejs22.x, Code: src}}
          Plain: {Type: "AWS::Lambda::Function", Properties: {Handler: a.b, Runtime: python3.12, Code: src}}
        """,
        src__a_DOT_py="def b(event, context): ...",
        src__requirements_DOT_txt="x",
    )
    found = survey(made.root)
    assert [function.found.label for function in found.functions] == ["Plain"]
    notes = "\n".join(found.notes)
    assert "template.yaml:3: Image is a container image" in notes
    assert "Script runs on nodejs22.x" in notes


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{Ref: Size}", "300"),
        ("!Sub '${Size}'", "300"),
        ("!Sub ['${A}${Size}', {A: 1}]", "1300"),
        ("!Join ['', [!Ref Size, '0']]", "3000"),
        ("!FindInMap [Sizes, dev, memory]", "700"),
        ("!If [IsProd, 1, 2]", None),
        ("!Ref Nowhere", None),
        ("!Sub '${Table.Arn}'", None),
        ("!ImportValue x", None),
    ],
)
def test_intrinsic_functions_are_followed_as_far_as_the_template_goes(project, expression, value):
    made = project(
        template_DOT_yaml=f"""
        Parameters: {{Size: {{Type: Number, Default: 300}}}}
        Mappings: {{Sizes: {{dev: {{memory: 700}}}}}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {{Handler: a.b, Runtime: python3.12, MemorySize: {expression}}}
        """
    )
    (found,) = read_sam(made).functions
    assert found.values["memory_mb"].value == value
    assert found.values["memory_mb"].how


def test_a_template_in_json_is_read_too(project):
    made = project(
        template_DOT_json="""
        {"Resources": {"F": {"Type": "AWS::Lambda::Function",
          "Properties": {"Handler": "a.b", "Runtime": {"Ref": "R"}, "FunctionName": {"Fn::Sub": "x-${R}"}}}},
         "Parameters": {"R": {"Default": "python3.13"}}}
        """
    )
    (found,) = read_sam(made).functions
    assert told(found, "runtime") == ("python3.13", "template.json:3")
    assert found.values["name"].value == "x-python3.13"


def test_serverless_variables_are_followed_through_the_file_and_others():
    read, make = read_serverless(Project(PROJECTS / "serverless")).functions
    assert told(read, "name") == ("reports-dev-read", "serverless.yml:42")
    assert told(make, "name") == ("reports-dev-nightly", "serverless.yml:47")
    assert told(read, "memory_mb") == ("256", "serverless.yml:22")
    assert told(make, "memory_mb") == ("2048", "serverless.yml:49")
    assert told(read, "requirements") == ("requirements.txt", "serverless.yml:13")
    assert read.environment["BUCKET"].value == "reports-dev"
    assert read.environment["DATABASE_URL"].value is None
    assert make.environment["BATCH"].value == "1000"
    assert make.environment["STAGE"].value == "dev"
    assert [layer.value for layer in make.layers][1] is None
    assert read.values["url"].value == "public"


def test_the_region_is_the_options_default():
    (region,) = read_serverless(Project(PROJECTS / "serverless")).regions
    assert (region.value, region.where) == ("eu-north-1", "serverless.yml:20")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("${self:custom.size}", "300"),
        ("${self:custom.${self:custom.which}}", "300"),
        ("${env:SIZE, 400}", "400"),
        ("${env:SIZE, self:custom.size}", "300"),
        ("${opt:size, '500'}", "500"),
        ("${param:size}", "600"),
        ("${self:custom.list.1}", "2"),
        ("${env:SIZE}", None),
        ("${file(../../../../etc/passwd):x}", None),
        ("${self:custom.round}", None),
        ("${self:custom.bomb}", None),
    ],
)
def test_serverless_variables(project, expression, value):
    made = project(
        serverless_DOT_yml=f"""
        service: x
        provider: {{name: aws, runtime: python3.12}}
        params: {{default: {{size: 600}}}}
        custom:
          size: 300
          which: size
          list: [1, 2]
          round: ${{self:custom.trip}}
          trip: ${{self:custom.round}}
          bomb: {"${self:custom.b1}" * 10}
          b1: {"${self:custom.b2}" * 10}
          b2: {"${self:custom.b3}" * 10}
          b3: {"${self:custom.b4}" * 10}
          b4: lol
        functions:
          f: {{handler: a.b, memorySize: "{expression}"}}
        """
    )
    (found,) = read_serverless(made).functions
    assert found.values["memory_mb"].value == value


def test_another_provider_and_a_program_are_passed_over(project):
    made = project(
        serverless_DOT_yml="service: x\nprovider: {name: google}\nfunctions: {f: {handler: a.b}}\n",
        sub__serverless_DOT_ts="export default {}",
    )
    assert read_serverless(made).functions == ()
    assert made.notes == ["sub/serverless.ts is a program, and is not run; passed over"]


def test_terraform_is_followed_through_variables_locals_archives_and_modules():
    ingest, query = read_terraform(Project(PROJECTS / "terraform")).functions
    assert told(ingest, "name") == ("events-default-ingest", "infra/main.tf:34")
    assert told(ingest, "source") == ("//infra/../services/ingest", "infra/main.tf:29")
    assert told(ingest, "memory_mb") == (1024, "infra/main.tf:40")
    assert told(ingest, "runtime") == ("python3.11", "infra/main.tf:39")
    assert ingest.environment["TABLE"].value is None
    assert ingest.environment["PROJECT"].value == "events"
    assert ingest.layers[0].value == "arn:aws:lambda:ap-southeast-2:336392948345:layer:AWSSDKPandas-Python311:24"
    assert ingest.layers[1].value is None
    assert told(query, "name") == ("events-default-query", "infra/modules/function/main.tf:17")
    assert told(query, "memory_mb") == (256, "infra/modules/function/main.tf:23")
    assert query.values["url"].value == "iam"
    assert query.environment["STAGE"].value == "default"


def test_the_usual_module_for_lambda_is_known(project):
    made = project(
        main_DOT_tf="""
        module "api" {
          source        = "terraform-aws-modules/lambda/aws"
          function_name = "api"
          handler       = "main.handler"
          runtime       = "python3.12"
          source_path   = "${path.module}/src"
          environment_variables = { AB = "1" }
          create_lambda_function_url = true
        }
        """,
        src__main_DOT_py="def handler(event, context): ...",
        src__requirements_DOT_txt="x",
    )
    (function,) = survey(made.root).functions
    values = {setting.key: setting.value for setting in function.settings}
    assert (values["source"], values["handler"], values["url"]) == ("src", "main.handler", "public")
    assert values["environment"] == {"AB": "1"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("var.size", 300),
        ("local.table.size", 400),
        ('local.table["size"]', 400),
        ("local.list[1]", 2),
        ('"${var.size}"', 300),
        ('"1${var.size}"', "1300"),
        ("var.unset", None),
        ("local.round", None),
        ("max(1, 2)", None),
        ("aws_x.y.z", None),
    ],
)
def test_terraform_expressions(project, expression, value):
    made = project(
        main_DOT_tf=f"""
        variable "size" {{ default = 300 }}
        variable "unset" {{}}
        locals {{
          table = {{ size = 400 }}
          list  = [1, 2]
          round = local.trip
          trip  = local.round
        }}
        resource "aws_lambda_function" "f" {{
          function_name = "f"
          memory_size   = {expression}
        }}
        """
    )
    (found,) = read_terraform(made).functions
    assert found.values["memory_mb"].value == value


def test_modules_that_call_each_other_end(project):
    made = project(
        a__main_DOT_tf='module "b" { source = "../b" }\nresource "aws_lambda_function" "f" { function_name = "f" }\n',
        b__main_DOT_tf='module "a" { source = "../a" }\n',
        main_DOT_tf='module "a" { source = "./a" }\n',
    )
    assert 1 <= len(read_terraform(made).functions) <= 3


def test_functions_that_cannot_share_layers_are_told_and_left_out(project):
    made = project(
        template_DOT_yaml="""
        Resources:
          A: {Type: "AWS::Serverless::Function", Properties: {Handler: a.f, Runtime: python3.12, CodeUri: src}}
          B: {Type: "AWS::Serverless::Function", Properties: {Handler: a.f, Runtime: python3.12, CodeUri: src}}
          C: {Type: "AWS::Serverless::Function", Properties: {Handler: a.f, Runtime: python3.13, CodeUri: src}}
        """,
        src__a_DOT_py="def f(event, context): ...",
        src__requirements_DOT_txt="x",
    )
    found = survey(made.root)
    assert [function.name for function in found.functions] == ["A", "B"]
    assert any("left out: C (template.yaml:5): python3.13 on x86_64" in remark for remark in found.remarks)


@pytest.mark.parametrize("runtime", ["python3.9", "python2.7", "pythonic"])
def test_a_runtime_that_is_not_known_is_asked_about(project, runtime):
    made = project(
        template_DOT_yaml=f"""
        Resources:
          A: {{Type: "AWS::Serverless::Function", Properties: {{Handler: a.f, Runtime: {runtime}, CodeUri: src}}}}
        """,
        src__a_DOT_py="def f(event, context): ...",
        src__requirements_DOT_txt="x",
    )
    assert any(f"template.yaml:3 says {runtime}" in asked for asked in survey(made.root).asked)


def test_the_requirements_of_a_layer_that_the_template_makes_are_the_functions(project):
    made = project(
        template_DOT_yaml="""
        Resources:
          Deps: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: deps/}}
          A:
            Type: AWS::Serverless::Function
            Properties: {Handler: a.f, Runtime: python3.12, CodeUri: src, Layers: [!Ref Deps]}
        """,
        src__a_DOT_py="def f(event, context): ...",
        deps__requirements_DOT_txt="boto3",
        requirements_DOT_txt="pytest",
    )
    (required,) = survey(made.root).required
    assert (required.file, required.direct) == ("deps/requirements.txt", ("boto3",))
    (made.root / "src/requirements.txt").write_text("own")
    (required,) = survey(made.root).required
    assert required.file == "src/requirements.txt"


def test_tools_whose_files_are_not_read_are_told(project):
    made = project(cdk_DOT_json="{}", src__a_DOT_py="def handler(event, context): ...", requirements_DOT_txt="x")
    assert "cdk.json is of a tool whose files are not read here; passed over" in survey(made.root).notes


def test_a_second_tool_is_told_and_not_mixed_in(tmp_path):
    shutil.copytree(PROJECTS / "sam", tmp_path, dirs_exist_ok=True)
    shutil.copy(PROJECTS / "serverless/serverless.yml", tmp_path)
    found = survey(tmp_path)
    assert {function.found.tool for function in found.functions} == {"SAM"}
    assert any(
        "Serverless describes functions too, which were not taken: read (serverless.yml" in n for n in found.notes
    )
