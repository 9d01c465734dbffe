"""What to install for a package that is missing."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.missing_packages import what_to_install


class MissingPackageTests(SynchronousTestCase):
    def test_package_of_an_extra_is_named_with_what_to_install(self) -> None:
        line = what_to_install(ModuleNotFoundError("No module named 'klein.app'", name="klein.app"))
        self.assertEqual(
            line, "klein is not installed, which this command needs: pip install 'lars-balancer[services]'"
        )

    def test_any_other_missing_module_is_a_bug(self) -> None:
        self.assertIsNone(what_to_install(ModuleNotFoundError("No module named 'lars.nowhere'", name="lars.nowhere")))
        self.assertIsNone(what_to_install(ModuleNotFoundError("no name")))
