"""Measures time and memory of listing and splitting many files: `python benchmarks/listing.py`.

Creates empty files in class folders of a temporary folder, then lists and splits them in a new process. Memory is the
peak of that process, including the libraries it loads.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peak_memory import peak_megabytes

sys.path.insert(0, str(Path(__file__).parents[1]))


def make_files(folder, files, classes):
    """Writes empty files, the same number in each class folder."""
    for number in range(classes):
        (folder / f"class_{number}").mkdir()
    for number in range(files):
        (folder / f"class_{number % classes}" / f"image_{number}.jpg").touch()


def measure(folder):
    """Lists and splits the files and prints a row of the table."""
    from tl_keras.data import find_records, split_records

    start = time.perf_counter()
    records = find_records(folder)
    listed = time.perf_counter()
    split_records(records)
    done = time.perf_counter()
    row = (f"{len(records):,}", f"{len(records.class_names):,}", f"{listed - start:.1f}", f"{done - listed:.1f}")
    print(f"| {' | '.join(row)} | {peak_megabytes():.0f} |")


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=10_000)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    print("| files | classes | listing, s | splitting, s | memory, MB |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), options.files, options.classes)
        subprocess.run([sys.executable, __file__, "--measure", folder], check=True)


if __name__ == "__main__":
    main()
