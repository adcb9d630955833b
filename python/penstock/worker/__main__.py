"""`python -m penstock.worker`: a worker process; the engine starts it."""

from penstock.worker.main import main

if __name__ == "__main__":
    main()
