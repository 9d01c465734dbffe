"""Which server is used, what is said about a change, and when."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.server_choice import ServerChoice
from lars.db.url import Server

ONE, TWO, THREE = Server("db1"), Server("db2"), Server("db3", 3307)


class ServerChoiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.choice = ServerChoice([ONE, TWO, THREE])

    def test_first_is_used_first_and_then_the_next_in_turn(self) -> None:
        self.assertEqual(self.choice.current, ONE)
        self.assertEqual(self.choice.use(ONE, instead_of=ONE), "")
        self.choice.use(TWO, instead_of=ONE)
        self.assertEqual(self.choice.in_turn(), [TWO, THREE, ONE])

    def test_change_is_said_once_with_its_reason(self) -> None:
        self.choice.failed(ONE, "fails: Connection refused")
        said = self.choice.use(TWO, instead_of=ONE)
        self.assertEqual(said, "the database is at db2:3306 now: db1:3306 fails: Connection refused")
        self.assertEqual(self.choice.use(TWO, instead_of=TWO), "")

    def test_thread_whose_look_began_before_another_chose_changes_nothing(self) -> None:
        self.choice.use(TWO, instead_of=ONE)
        self.assertEqual(self.choice.use(THREE, instead_of=ONE), "")
        self.assertEqual(self.choice.current, TWO)

    def test_server_without_writes_is_said_once_and_so_is_its_end(self) -> None:
        said = self.choice.use(ONE, "is read-only", instead_of=ONE)
        self.assertEqual(said, "the database at db1:3306 is read-only, and no other server takes writes")
        self.assertEqual(self.choice.no_writes, "is read-only")
        self.assertEqual(self.choice.use(ONE, "is read-only", instead_of=ONE), "")
        self.assertEqual(self.choice.use(ONE, instead_of=ONE), "the database at db1:3306 takes writes again")
        self.assertEqual(self.choice.no_writes, "")

    def test_change_to_a_server_without_writes_says_so(self) -> None:
        self.assertIn("now; db2:3306 is read-only", self.choice.use(TWO, "is read-only", instead_of=ONE))

    def test_problems_name_each_server_in_the_order_of_the_url(self) -> None:
        self.choice.failed(THREE, "is read-only")
        self.choice.failed(ONE, "fails: timed out")
        self.assertEqual(self.choice.problems, "db1:3306 fails: timed out, db3:3307 is read-only")
