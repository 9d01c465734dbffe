"""The lars-reporter that is measured."""

from bench.services.lars_service import MeasuredService


class LarsReporter(MeasuredService):
    """lars-reporter on a database."""

    def __init__(self, url: str, *options: str) -> None:
        super().__init__("lars-reporter", "--db", url, *options)
