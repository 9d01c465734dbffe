"""The files that come with Lars are found from a checkout; the integration tests look for them in a wheel."""

from twisted.trial.unittest import SynchronousTestCase

from lars.shipped import shipped


class ShippedTests(SynchronousTestCase):
    def test_schemas_and_conf_files_are_found(self) -> None:
        for folder, name in (("sql", "mysql.sql"), ("sql", "sqlite.sql"), ("conf", "lars-dns.conf")):
            self.assertTrue(shipped(folder, name).is_file())

    def test_path_of_a_file_that_is_not_there_names_it(self) -> None:
        self.assertEqual(shipped("sql", "oracle.sql").parts[-2:], ("sql", "oracle.sql"))
