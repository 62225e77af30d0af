"""The limits of size and count, with the service's own texts."""

from tests.unit.local.lambda_api import zipped

LIMIT = 262_144_000


def test_a_layer_alone_over_the_limit_is_refused_with_the_limit_as_number(api):
    error = api.refused("publish_layer_version", LayerName="l", Content={"ZipFile": zipped(unzipped_bytes=LIMIT + 1)})
    assert (error.status, error.code) == (400, "InvalidParameterValueException")
    assert error.message == "Unzipped size must be smaller than 262144000 bytes"


def test_a_layer_of_exactly_the_limit_is_taken(api):
    assert api.layer(unzipped_bytes=LIMIT)


def test_a_direct_zip_over_fifty_megabytes_is_refused_and_taken_through_s3(api):
    large = zipped({"data": bytes(52_428_801)})
    error = api.refused("publish_layer_version", LayerName="l", Content={"ZipFile": large})
    assert error.message == "Zipped size must be smaller than 52428800 bytes"
    api.services.objects["bucket", "key", None] = large
    published = api.publish_layer_version(LayerName="l", Content={"S3Bucket": "bucket", "S3Key": "key"})
    assert published["Content"]["CodeSize"] == len(large)


def test_a_missing_s3_object_is_named_as_s3_names_it(api):
    error = api.refused("publish_layer_version", LayerName="l", Content={"S3Bucket": "b", "S3Key": "k"})
    assert "S3 Error Code: NoSuchKey" in error.message


def test_code_and_layers_together_over_the_limit_are_refused_with_the_actual_bytes(api):
    arn = api.layer(unzipped_bytes=200_000_000)
    api.function(Code={"ZipFile": zipped(unzipped_bytes=100_000_000)})
    error = api.refused("update_function_configuration", FunctionName="f", Layers=[arn])
    assert error.message == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        "The actual size is 300000000 bytes."
    )


def test_code_is_checked_against_what_the_layers_of_this_moment_leave(api):
    arn = api.layer(unzipped_bytes=176_936_801)
    api.function(Layers=[arn])
    error = api.refused("update_function_code", FunctionName="f", ZipFile=zipped(unzipped_bytes=85_207_200))
    assert error.message == "Unzipped size must be smaller than 85207199 bytes"


def test_a_dry_run_of_code_checks_the_same_and_changes_nothing(api):
    api.function(Layers=[api.layer(unzipped_bytes=200_000_000)])
    before = api.get_function_configuration(FunctionName="f")
    assert api.refused(
        "update_function_code", FunctionName="f", ZipFile=zipped(unzipped_bytes=100_000_000), DryRun=True
    ).message.startswith("Unzipped size")
    api.update_function_code(FunctionName="f", ZipFile=zipped({"h.py": "1"}), DryRun=True)
    assert api.get_function_configuration(FunctionName="f") == before


def test_layers_that_leave_no_room_for_code_are_refused(api):
    arns = [api.layer("a", unzipped_bytes=200_000_000), api.layer("b", unzipped_bytes=62_144_000)]
    api.function()
    error = api.refused("update_function_configuration", FunctionName="f", Layers=arns)
    assert error.message == "Layers consume more than the available size of 262144000 bytes"


def test_a_sixth_layer_is_refused(api):
    api.function()
    arns = [api.layer(f"l{i}") for i in range(6)]
    api.update_function_configuration(FunctionName="f", Layers=arns[:5])
    api.settle()
    error = api.refused("update_function_configuration", FunctionName="f", Layers=arns)
    assert error.message == "Cannot reference more than 5 layers."


def test_environment_variables_over_four_kilobytes_are_refused(api):
    api.function(Environment={"Variables": {"KEY": "x" * 4093}})
    error = api.refused(
        "update_function_configuration", FunctionName="f", Environment={"Variables": {"KEY": "x" * 4094}}
    )
    assert "exceeded the 4KB limit" in error.message


def test_variables_that_lambda_sets_itself_are_refused(api):
    api.function()
    error = api.refused(
        "update_function_configuration", FunctionName="f", Environment={"Variables": {"AWS_REGION": "x"}}
    )
    assert error.message.endswith("Reserved keys used in this request: AWS_REGION")


def test_what_is_no_zip_is_refused(api):
    error = api.refused("publish_layer_version", LayerName="l", Content={"ZipFile": b"no zip"})
    assert error.message == ("Could not unzip uploaded file. Please check your file, then try to upload again.")


def test_a_zip_that_leaves_its_folder_is_refused(api):
    error = api.refused("publish_layer_version", LayerName="l", Content={"ZipFile": zipped({"../h.py": ""})})
    assert error.message.startswith("Could not unzip uploaded file.")


def test_a_full_code_storage_refuses_and_a_deleted_layer_makes_room(make_api):
    api = make_api(code_storage_bytes=2 * len(zipped()))
    api.layer("a")
    api.layer("b")
    error = api.refused("publish_layer_version", LayerName="c", Content={"ZipFile": zipped()})
    assert (error.status, error.code) == (400, "CodeStorageExceededException")
    used = api.get_account_settings()["AccountUsage"]["TotalCodeSize"]
    assert used == api.get_account_settings()["AccountLimit"]["TotalCodeSize"] == 2 * len(zipped())
    api.delete_layer_version(LayerName="a", VersionNumber=1)
    assert api.layer("c")


def test_memory_and_timeout_have_lambdas_bounds(api):
    api.function(MemorySize=10_240, Timeout=900)
    for given in ({"MemorySize": 10_241}, {"Timeout": 901}, {"Timeout": 0}):
        assert (
            "failed to satisfy constraint"
            in api.refused("update_function_configuration", FunctionName="f", **given).message
        )


def test_with_throttling_the_sixteenth_control_plane_call_of_a_second_is_refused_but_get_function_goes_on(make_api):
    api = make_api(throttle=True)
    for _ in range(15):
        api.list_layers()
    error = api.refused("list_layers")
    assert (error.status, error.code, error.headers["Retry-After"]) == (429, "TooManyRequestsException", "1")
    assert api.refused("get_function", FunctionName="f").code == "ResourceNotFoundException"
