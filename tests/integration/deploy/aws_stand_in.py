"""A small stand-in for the AWS CLI: options become parameters by botocore's service model, and boto3 makes the call."""

import json
import sys
from pathlib import Path

import boto3
import jmespath
from botocore import xform_name

GLOBAL = {"region", "endpoint-url", "output", "query", "cli-read-timeout"}
ZIPS = {"PublishLayerVersion": "Content", "CreateFunction": "Code"}
"""Operations whose `--zip-file` the AWS CLI puts into a structure."""


def options_of(words):
    """Options with their words, and the words before any of them; the last of invoke's is a file."""
    plain, found, name = [], {}, None
    for one in words:
        if one.startswith("--"):
            name = one[2:]
            found[name] = []
        elif name is None:
            plain.append(one)
        else:
            found[name].append(one)
    return plain, found


def read(text):
    """What a word stands for: a file's content, or itself."""
    if text.startswith("fileb://"):
        return Path(text[8:]).read_bytes()
    if text.startswith("file://"):
        return Path(text[7:]).read_text("utf-8")
    return text


def shorthand(text):
    """`A=b,C={d=e}` as a structure."""
    found = {}
    while text:
        key, _, text = text.partition("=")
        if text.startswith("{"):
            inner, _, text = text[1:].partition("}")
            found[key], text = shorthand(inner), text.removeprefix(",")
        else:
            found[key], _, text = text.partition(",")
    return found


def value(shape, words):
    """Words as a parameter of a shape."""
    if shape.type_name == "list":
        if words and words[0].startswith("["):
            return json.loads(words[0])
        return [value(shape.member, [one]) for one in words]
    if shape.type_name == "boolean":
        return True
    (word,) = words
    text = read(word)
    if shape.type_name in {"structure", "map"}:
        return json.loads(text) if text.startswith("{") else typed(shape, shorthand(text))
    return {"integer": int, "long": int, "double": float}.get(shape.type_name, lambda x: x)(text)


def typed(shape, given):
    """Shorthand's texts as the shape has them."""
    if shape.type_name == "structure":
        return {key: typed(shape.members[key], one) for key, one in given.items()}
    if shape.type_name == "map":
        return {key: typed(shape.value, one) for key, one in given.items()}
    return {"integer": int, "double": float, "float": float}.get(shape.type_name, lambda x: x)(given)


def printed(answer):
    """`--output text`."""
    if isinstance(answer, list):
        return "\t".join(map(str, answer))
    return "None" if answer is None else str(answer)


def main(words):
    plain, found = options_of(words)
    service, operation, *rest = plain
    target = found.pop("cli-binary-format", None)
    assert target is None, "it is an option of the second version alone"
    where = {
        "region_name": found["region"][0],
        "endpoint_url": found.get("endpoint-url", [None])[0],
        "aws_access_key_id": "x",
        "aws_secret_access_key": "x",
    }
    client = boto3.client(service, **where)
    if service == "s3":
        return s3(client, operation, rest)
    waits = operation == "wait"
    if waits:
        waiter = client.get_waiter(rest[0].replace("-", "_"))
        operation = {"function": "get-function", "published": "get-function", "role": "get-role"}[rest[0].split("-")[0]]
        if rest[0] == "published-version-active":
            operation = "get-function-configuration"
    model = client.meta.service_model
    name = {xform_name(one, "-"): one for one in model.operation_names}[operation]
    shape = model.operation_model(name).input_shape
    members = {xform_name(member, "-"): member for member in shape.members}
    outfile = found["endpoint-url"].pop() if name == "Invoke" else None  # it stands last, after this option
    given = {}
    for option, own in found.items():
        if option in GLOBAL and option not in members:
            continue
        if option == "zip-file" and name in ZIPS:
            given[ZIPS[name]] = {"ZipFile": read(own[0])}
            continue
        given[members[option]] = value(shape.members[members[option]], own)
    if waits:
        waiter.wait(**given, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
        return None
    answer = getattr(client, xform_name(name))(**given)
    if outfile is not None:
        Path(outfile).write_bytes(answer["Payload"].read())
        return None
    answer.pop("ResponseMetadata")
    return jmespath.search(found["query"][0], answer) if "query" in found else json.dumps(answer, default=str)


def s3(client, operation, rest):
    bucket, key = rest[-1].removeprefix("s3://").split("/", 1)
    if operation == "cp":
        client.upload_file(rest[0], bucket, key)
    else:
        client.delete_object(Bucket=bucket, Key=key)


if __name__ == "__main__":
    said = main(sys.argv[1:])
    if said is not None:
        sys.stdout.write(f"{printed(said)}\n")
