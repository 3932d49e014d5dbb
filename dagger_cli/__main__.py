"""`python -m dagger_cli` is the command `dagger`."""

from dagger_cli.cli.main import main

if __name__ == "__main__":
    main()
