"""`python -m optimizer`."""

from optimizer.cli.entry import main

main()
