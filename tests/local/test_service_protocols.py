"""The protocols that the embedded cloud knows by heart are those of botocore's definitions."""

import botocore.session
import pytest
from ministack.core import responses

from local.cloud.service_protocols import PROTOCOLS


@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_known_protocol_is_that_of_the_services_definition(service: str) -> None:
    name = responses._BOTOCORE_NAME.get(service, service)
    metadata = botocore.session.get_session().get_service_model(name).metadata
    known = PROTOCOLS[service]
    assert known["protocol"] == metadata["protocol"]
    if known["protocol"] == "json":
        assert known["jsonVersion"] == metadata["jsonVersion"]
