"""`python -m penstock.as_ray script.py [args]`."""

from penstock.as_ray.command_line import main

if __name__ == "__main__":
    main()
