"""Splits an AWS Lambda deployment into layers."""
