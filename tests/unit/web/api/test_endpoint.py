"""Which methods of a resource answer what, and what a call says of itself."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.accounts import Token
from lars.web.api.endpoint import Call, Endpoint, Reply, Resource, endpoint, endpoints
from lars.web.api.problems import Problem
from lars.web.roles import Role

TOKEN = Token(1, "scaler", "lea", "editor", 0)


def call(**query: str) -> Call:
    return Call(TOKEN, 0, query, lambda _name: "", b"")


class SampleResource(Resource):
    @endpoint("GET", "/here")
    async def read(self, _call: Call) -> Reply:
        return Reply()

    @endpoint("PUT", "/here", Role.EDITOR)
    async def write(self, _call: Call) -> Reply:
        return Reply()

    async def other(self) -> None:
        pass


class EndpointTests(SynchronousTestCase):
    def test_marked_methods_are_endpoints(self) -> None:
        found = {method.__name__: endpoint for endpoint, method in endpoints(SampleResource)}
        self.assertEqual(
            found,
            {"read": Endpoint("GET", "/here", Role.VIEWER), "write": Endpoint("PUT", "/here", Role.EDITOR)},
        )


class CallTests(SynchronousTestCase):
    def test_actor_is_the_token_and_its_user(self) -> None:
        self.assertEqual(call().actor, "api:lea/scaler")

    def test_limit_and_before_have_defaults_and_ranges(self) -> None:
        self.assertEqual((call().limit, call(limit="7").limit, call(before="9").before), (100, 7, 9))
        for bad in ("0", "1001", "x"):
            self.assertRaises(Problem, lambda: call(limit=bad).limit)  # noqa: B023  # called at once
