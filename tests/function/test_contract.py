"""What the API answers is what its document says: a sample of what benchmarks/contract_fuzz.py tries."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis

from app.core.clients import Clients
from app.core.settings import Settings
from app.main import create_app
from benchmarks.contract_fuzz import DOCUMENT, KEY, SIGNATURE, behind_iam, configuration, fuzz

SEED = 20_261_125
GUARDED = {"auth": "api-key", "api_keys": (hashlib.sha256(KEY.encode()).hexdigest(),)}


@pytest.mark.parametrize(
    ("settings", "auth"),
    [({}, None), (GUARDED, ("apiKey", KEY)), ({"auth": "iam"}, ("sigv4", SIGNATURE))],
    ids=["open", "guarded", "iam"],
)
# Starlette leaves the file of a form that is refused half-read to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_answer_is_outside_of_the_document(
    settings: dict[str, Any], auth: tuple[str, str] | None, aws: SimpleNamespace, s3: Any, bucket: str
) -> None:
    """Every check of schemathesis, and a server error is a failure whether the document has it or not."""
    chosen = Settings(store_bucket=bucket, **settings)
    app = behind_iam(create_app(chosen, Clients(chosen, {"s3": s3, "rekognition": aws.client("rekognition")})))
    config = configuration(seed=SEED, examples=3, auth=auth)
    outcome = fuzz(schemathesis.openapi.from_asgi(DOCUMENT, app, config=config))
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert sum(outcome.cases.values()) > 200
    assert set(outcome.cases) == {"examples", "coverage", "fuzzing", "stateful"}
    # What is valid gets through to the work, in every operation.
    worked = {operation for operation, status in outcome.answers if status in {200, 201}}
    assert len(worked) == 9, worked
