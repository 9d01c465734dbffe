"""`python -m lars.cli` is `lars`."""

from lars.cli.installed import main

main()
