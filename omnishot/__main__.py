"""`python -m omnishot` is `omnishot`."""

from omnishot.cli import main

main()
