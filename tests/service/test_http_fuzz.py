"""Requests made up from the OpenAPI page: no 5xx, and every answer is as the page says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("path", ["/generate", "/score", "/models/{name}"])
def test_made_up_requests(live, path):
    operations = (
        found.ok()
        for found in schemathesis.openapi.from_url(f"{live.http}/openapi.json").get_all_operations()
    )
    operation = next(operation for operation in operations if operation.path == path)

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case):
        case.call_and_validate(checks=CHECKS, timeout=30)

    check()
