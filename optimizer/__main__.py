"""`python -m optimizer`."""

from optimizer.cli.app import main

main()
