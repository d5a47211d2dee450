"""`python -m roughcut`."""

from roughcut.cli import main

if __name__ == "__main__":
    main()
