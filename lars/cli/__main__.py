"""`python -m lars.cli` is `lars`."""

from lars.cli.main import main

main()
