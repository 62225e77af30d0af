"""The image-analysis API: what stands behind the Lambda handler, and under uvicorn."""

SERVICE = "ai-image-analyzer-fastapi"
VERSION = "1.0.0"
DESCRIPTION = "Finds labels, text, faces, unsafe content and dominant colours in pictures."
API_PREFIX = "/api/v1"
