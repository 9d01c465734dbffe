"""The document describes the endpoints that there are, and only those."""

import re
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from lars.web.api.dispatch import RESOURCES
from lars.web.api.endpoint import endpoints
from lars.web.api.openapi import document


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


class DocumentTests(SynchronousTestCase):
    def test_every_endpoint_is_described_and_every_path_answers(self) -> None:
        described = {
            (method.upper(), re.sub(r"\{\w+\}", "{}", path))
            for path, methods in document()["paths"].items()
            for method in methods
        }
        there = {
            (endpoint.method, re.sub(r"<[^>]+>", "{}", endpoint.rule.removeprefix("/api/v1")))
            for resource in RESOURCES
            for endpoint, _method in endpoints(resource)
        }
        self.assertEqual(described, there)

    def test_references_lead_somewhere_and_no_schema_is_unused(self) -> None:
        whole = document()
        used = set(references(whole))
        for reference in used:
            _, _, kind, name = reference.split("/")
            self.assertIn(name, whole["components"][kind], reference)
        for name in whole["components"]["schemas"]:
            self.assertIn(f"#/components/schemas/{name}", used)

    def test_operations_have_names_of_their_own_and_a_summary(self) -> None:
        operations = [one for methods in document()["paths"].values() for one in methods.values()]
        self.assertEqual(len({one["operationId"] for one in operations}), len(operations))
        self.assertTrue(all(one["summary"] for one in operations))
