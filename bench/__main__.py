"""`python -m bench`: every bench, one after another; exits 1 when any of them misses a promise."""

import pkgutil
import subprocess
import sys

import bench

PARTS = {
    "person",
    "report",
    "run_house",
    "run_worker",
    "swap_server",
    "vendor",
    "reply_discord",
    "reply_program",
    "tuner_process",
    "tuner_fuzz_hooks",
    "scrub_corpus",
    "recall_corpus",
    "dataset_corpus",
    "recall_rivals",
    "learning_brands",
    "learning_plot",
    "learning_ways",
}
HOURS = {"learning"}  # by itself only: the whole table takes days on a small machine
NOT_BENCHES = {"__main__", *PARTS, *HOURS}


def main() -> None:
    """Run each bench as its own process, as a person would."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in NOT_BENCHES]
    missed = [
        name
        for name in names
        if subprocess.run([sys.executable, "-m", f"bench.{name}", *sys.argv[1:]], check=False).returncode
    ]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
