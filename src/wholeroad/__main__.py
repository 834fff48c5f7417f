"""``python -m wholeroad``."""

from wholeroad.interfaces.cli.app import main

if __name__ == "__main__":
    main()
