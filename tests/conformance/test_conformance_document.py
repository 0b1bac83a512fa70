"""The OpenAPI document, judged by a stock validator."""

import importlib.util

import pytest

from tests.machine import missing


@pytest.mark.slow
async def test_the_document_is_valid(server):
    """It is OpenAPI 3.1, every schema and reference in it included."""
    if importlib.util.find_spec("openapi_spec_validator") is None:
        missing("openapi-spec-validator, which make api-test installs,")
    validator = importlib.import_module("openapi_spec_validator")
    document = (await server.ask("GET", "/openapi.json")).json
    validator.validate(document, cls=validator.OpenAPIV31SpecValidator)
