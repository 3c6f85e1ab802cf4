"""`python -m kerasep`: the command line."""

from kerasep.cli import main

if __name__ == "__main__":
    main()
