"""Rekognition's operations that moto does not have: answered as for a picture in which nothing was found."""

from __future__ import annotations

import json
from typing import Any

_ANSWERS: dict[str, dict[str, Any]] = {
    "ListCollections": {"CollectionIds": [], "FaceModelVersions": []},
    "DetectFaces": {"FaceDetails": []},
    "DetectModerationLabels": {"ModerationLabels": [], "ModerationModelVersion": "7.0"},
}


def answer(target: str) -> bytes | None:
    """The JSON body for an X-Amz-Target, or None where moto answers."""
    found = _ANSWERS.get(target.rpartition(".")[2])
    return None if found is None else json.dumps(found).encode()
