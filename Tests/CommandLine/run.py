#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the built `firn` as scripts do (scripts.py) and as people do, on a terminal (terminal.py), and checks what they
rely on.

    run.py FIRN [--only PART_OF_A_NAME]

Prints a line a test and, at the end, the number that passed; exit code 1 where one failed.
"""
import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import harness
import documents  # noqa: F401 (registers its tests)
import scripts  # noqa: F401
import terminal  # noqa: F401
import sessions  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    failed = 0
    started = time.time()
    chosen = [function for function in harness.TESTS if options.only in function.__name__]
    for function in chosen:
        folder = tempfile.mkdtemp(prefix="firn-cli-")
        try:
            note = function(harness.Firn(options.firn, folder))
            print(f"  ok      {function.__name__}" + (f" ({note})" if note else ""), flush=True)
        except Exception as error:
            failed += 1
            place = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in place if frame.name == function.__name__), 0)
            print(f"  FAILED  {function.__name__} (line {line}): {type(error).__name__} {error}", flush=True)
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"command line: {len(chosen) - failed} of {len(chosen)} passed ({time.time() - started:.0f} s)")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
