"""Hostile and odd pictures: refused by a problem or analysed rightly, in 5 s and 512 MB, whatever is asked."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.function.hostile_pictures import CASES, Case
from tests.function.hostile_run import MOST_BYTES, MOST_SECONDS, Aws, Function, Outcome, aws

pytestmark = [
    pytest.mark.skipif("sys.platform == 'win32'", reason="memory is measured by `resource`"),
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),  # of the very damage that a case made
]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Aws]:
    with aws() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def function(cloud: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    """One process for all: its peak is the largest of all cases."""
    with Function(cloud, tmp_path_factory.mktemp("hostile")) as function:
        yield function


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.heavy])
def test_picture_is_refused_or_analysed_rightly(name: str, function: Function) -> None:
    data = CASES[name].make()
    # `comprehensive` does all that the others do, and has most to hold at once.
    for kind in ["comprehensive"] if len(data) > 1_000_000 else ["colors", "labels", "comprehensive", "upload"]:
        hold(name, kind, data, function)


# Those that need most, of each decoder; `benchmarks/hostile.py` has all of them.
HEAVIEST = ("WebP lossy of most pixels", "TIFF LZW of most pixels", "JPEG of most pixels, CMYK progressive")


@pytest.mark.parametrize("name", HEAVIEST)
def test_most_pixels_fit_into_a_fresh_process(name: str, cloud: Aws, tmp_path: Path) -> None:
    with Function(cloud, tmp_path) as function:
        hold(name, "comprehensive", CASES[name].make(), function)


def hold(name: str, kind: str, data: bytes, function: Function) -> None:
    """Ask, and assert that the answer and its cost are what the case allows."""
    case = CASES[name]
    if case.s3 and kind == "upload":
        return
    outcome = function.ask(kind, data, s3=case.s3, readable=bool(case.colors))
    assert outcome.seconds < MOST_SECONDS, kind
    assert outcome.peak < MOST_BYTES, kind
    judge(case, kind, data, outcome)


def judge(case: Case, kind: str, data: bytes, outcome: Outcome) -> None:
    """Assert that the answer is one that the case allows."""
    body = outcome.body
    if outcome.status >= 300:
        assert 400 <= outcome.status < 500, body
        # Of what only Rekognition decodes it alone can say that it is no picture.
        said = {
            "comprehensive": ("all_parts_failed", "image_format_unsupported"),
            "labels": ("image_format_unsupported",),
        }
        assert outcome.code in (*case.codes, *(said.get(kind, ()) if case.codes else ())), body
        return
    image = body["image"]
    assert case.size in {None, (image["width"], image["height"])}
    assert case.format in {None, image["format"]}
    if kind == "upload":
        # Pixels are not decoded: what is kept is what came, but for a place.
        assert outcome.stored == data or image["gps_removed"]
        return
    assert case.colors, "it was taken"
    if kind != "labels":
        if body["colors"] is None:
            assert [error["code"] for error in body["errors"]] == [*case.codes][:1]
        else:
            shares = {color["name"]: color["share"] for color in body["colors"]}
            assert {name: shares.get(name) for name in case.colors} == pytest.approx(dict(case.colors), abs=0.02)
    got = outcome.sent or b""
    # What is large and not made by the function (it writes JFIF, the corpus doesn't) may be a bomb here, too.
    if kind != "colors" and case.size and (len(got) < 100_000 or got.startswith(b"\xff\xd8\xff\xe0")):
        sent = seen_by_rekognition(got)
        assert sent.width / sent.height == pytest.approx(case.size[0] / case.size[1], rel=0.02)
        if set(case.colors) == {"red", "blue"}:
            at = sent.width - 3, sent.height // 2
            red, _, blue = sent.getpixel(at)  # type: ignore[misc]
            assert (red < 40, blue > 215) == (True, True), "blue is no longer on the right"


def seen_by_rekognition(data: bytes) -> Image.Image:
    """The picture as Rekognition sees it: of a JPEG upright, of a PNG as it lies."""
    assert len(data) <= 15_728_640
    image = Image.open(io.BytesIO(data))
    assert image.format in {"JPEG", "PNG", "MPO"}
    if image.format != "PNG":
        image.draft("RGB", (1000, 1000))
        ImageOps.exif_transpose(image, in_place=True)
    image.thumbnail((1000, 1000))
    return image.convert("RGB") if not image.mode.startswith("I") else Image.new("RGB", image.size, "blue")
