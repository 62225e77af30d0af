"""What Rekognition knows of a picture, in this API's words."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.aws_errors import translated
from app.schemas.analyze import AgeRange, Box, Face, Label, ModerationLabel, TextLine

Found = list[Label] | list[TextLine] | list[Face] | list[ModerationLabel]
Detector = Callable[[Any, Mapping[str, Any], float, int], Found]

_LIKELY = 50.0  # an emotion below it is noise: Rekognition lists all eight, whose confidences add up to 100


def labels(client: Any, image: Mapping[str, Any], min_confidence: float, max_labels: int) -> list[Label]:
    """Things that are seen (DetectLabels).

    Args:
        client: Rekognition's client.
        image: Rekognition's `Image`: `Bytes` or `S3Object`.
        min_confidence: Percent.
        max_labels: Most labels.

    Raises:
        ProblemError: The call failed.
    """
    answer = _call(
        client.detect_labels,
        "rekognition:DetectLabels",
        Image=image,
        MinConfidence=min_confidence,
        MaxLabels=max_labels,
    )
    return [
        Label(
            name=label["Name"],
            confidence=_percent(label),
            categories=[category["Name"] for category in label.get("Categories", [])],
            parents=[parent["Name"] for parent in label.get("Parents", [])],
            boxes=[box for instance in label.get("Instances", []) if (box := _box(instance)) is not None],
        )
        for label in answer["Labels"]
    ]


def text(client: Any, image: Mapping[str, Any], min_confidence: float, _: int) -> list[TextLine]:
    """Lines that are read (DetectText); Rekognition filters words, not lines, so that is done here."""
    answer = _call(client.detect_text, "rekognition:DetectText", Image=image)
    return [
        TextLine(text=found["DetectedText"], confidence=_percent(found), box=_box(found.get("Geometry", {})))
        for found in answer["TextDetections"]
        if found.get("Type") == "LINE" and found.get("Confidence", 0) >= min_confidence
    ]


def faces(client: Any, image: Mapping[str, Any], min_confidence: float, _: int) -> list[Face]:
    """Faces (DetectFaces), not whose they are."""
    answer = _call(
        client.detect_faces,
        "rekognition:DetectFaces",
        Image=image,
        Attributes=["DEFAULT", "AGE_RANGE", "SMILE", "EMOTIONS"],
    )
    return [_face(face) for face in answer["FaceDetails"] if face.get("Confidence", 0) >= min_confidence]


def moderation(client: Any, image: Mapping[str, Any], min_confidence: float, _: int) -> list[ModerationLabel]:
    """What not everybody should see (DetectModerationLabels)."""
    answer = _call(
        client.detect_moderation_labels,
        "rekognition:DetectModerationLabels",
        Image=image,
        MinConfidence=min_confidence,
    )
    return [
        ModerationLabel(name=label["Name"], parent=label.get("ParentName") or None, confidence=_percent(label))
        for label in answer["ModerationLabels"]
    ]


DETECTORS: Mapping[str, Detector] = {"labels": labels, "text": text, "faces": faces, "moderation": moderation}


def _call(operation: Callable[..., Mapping[str, Any]], action: str, /, **request: Any) -> Mapping[str, Any]:
    with translated(service="rekognition", action=action):
        return operation(**request)


def _face(face: Mapping[str, Any]) -> Face:
    age = face.get("AgeRange")
    smile = face.get("Smile")
    emotions = sorted(face.get("Emotions", []), key=lambda emotion: (-emotion["Confidence"], emotion["Type"]))
    return Face(
        confidence=_percent(face),
        box=_box(face),
        age_range=AgeRange(low=age["Low"], high=age["High"]) if age else None,
        smile=smile["Value"] if smile else None,
        emotions=[emotion["Type"].lower() for emotion in emotions if emotion["Confidence"] >= _LIKELY],
    )


def _percent(found: Mapping[str, Any]) -> float:
    return round(float(found.get("Confidence", 0)), 2)


def _box(found: Mapping[str, Any]) -> Box | None:
    box = found.get("BoundingBox")
    if not box:
        return None
    left, top, width, height = (round(float(box.get(side, 0)), 5) for side in ("Left", "Top", "Width", "Height"))
    return Box(left=left, top=top, width=width, height=height)
