#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one bug at a time and expects the tests to find it; writes docs/mutants.md.

The bugs are the cases of Sources/Firn/Storage/Mutants.swift. They are built once, with -DFIRN_MUTANTS, into
.build-mutants, and FIRN_MUTANT chooses one. Without a bug all tests that are run here must pass first. For each bug
the tests that docs/mutants.md names for it are run first, then the stages below, until one fails. A run that does not
end within its limit counts as not caught: a bug shall fail a test, not hang it.

Exits with 1 where a bug is not caught.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "Sources/Firn/Storage/Mutants.swift"
TABLE = ROOT / "docs/mutants.md"
FLAGS = ["--disable-xctest", "--scratch-path", ".build-mutants", "-Xswiftc", "-DFIRN_MUTANTS"]
LIMIT_SECONDS = {"sample": 600, "full": 3600}

# Suites, the cheap ones first; what is left at the end is run with all crashes and faults there are.
STAGES = [
    ("sample", ["DamagedFolderTests", "OpeningTests", "ForeignLogTests", "FaultTests"]),
    ("sample", ["CrashTests"]),
    ("sample", ["SegmentDamageTests", "KeyTests", "KeyIndexTests", "StorageEngineTests", "ChunkRewriteTests"]),
    ("sample", ["DurabilityTests", "CommitOrderTests", "ClosingTests", "ConcurrencyTests"]),
    ("full", ["CrashTests", "FaultTests"]),
]


def mutants():
    """Names of all bugs with their description and heading, in the order of the source."""
    found, heading, words = [], "", []
    for line in SOURCE.read_text().splitlines():
        line = line.strip()
        if line.startswith("// MARK: "):
            heading = line[len("// MARK: "):]
        elif line.startswith("/// "):
            words.append(line[4:])
        else:
            if case := re.fullmatch(r"case (\w+)", line):
                found.append((case[1], " ".join(words), heading))
            words = []
    return found


def suites():
    """The suite in which each test function stands."""
    found = {}
    for path in sorted((ROOT / "Tests").rglob("*.swift")):
        text = path.read_text()
        if suite := re.search(r"@Suite(?:\(.*?\))?\s+(?:final )?(?:struct|class|actor) (\w+)", text):
            for name in re.findall(r"func (\w+)\(", text):
                found.setdefault(name, suite[1])
    return found


def known_catchers():
    """The tests and the effort that the table names for each bug."""
    found = {}
    if TABLE.exists():
        for row in re.findall(r"^\| `(\w+)` \|.*\| (.*) \| (\w+) \|$", TABLE.read_text(), re.M):
            tests = re.findall(r"`(\w+)/(\w+)`", row[1])
            if tests:
                found[row[0]] = (row[2], [f"{suite}/{test}" for suite, test in tests])
    return found


def run(filters, effort="sample", mutant=None):
    """Runs tests; returns what happened (passed, failed, stopped, hung) and the names of the tests that failed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("FIRN_MUTANT", "FIRN_EFFORT")}
    if mutant:
        environment["FIRN_MUTANT"] = mutant
    if effort == "full":
        environment["FIRN_EFFORT"] = "full"
    command = ["swift", "test", "--skip-build", *FLAGS]
    for one in filters:
        command += ["--filter", rf"FirnTests\.{one}\b"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, errors="replace", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=LIMIT_SECONDS[effort])
    except BaseException as interruption:
        # The tests are a process of their own behind `swift test`.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(interruption, subprocess.TimeoutExpired):
            return "hung", []
        raise
    failed = sorted(set(re.findall(r"Test (\w+)\(.*?\) (?:with \d+ test cases? )?failed after", output)))
    if not re.search(r"Test run with \d+ tests? .*(passed|failed) after", output):
        if process.returncode == 0:
            sys.exit("no test was run by: " + " ".join(command))
        # A trap ends the process with all its tests; the ones that were being run are in doubt.
        return "stopped", failed
    if (process.returncode != 0) != bool(failed):
        sys.exit(output + "\nthe outcome of the tests cannot be read")
    return ("failed", failed) if failed else ("passed", [])


def hunt(mutant, hints, suite_of):
    """Which tests find a bug, and with which effort; an empty list where none does."""
    attempts = ([hints[mutant]] if mutant in hints else []) + STAGES
    for effort, filters in attempts:
        effort = "full" if effort == "full" else "sample"
        outcome, failed = run(filters, effort, mutant)
        if outcome == "failed":
            return effort, [f"{suite_of[name]}/{name}" for name in failed]
        if outcome == "stopped":
            # One suite at a time: which of them is it?
            for one in filters:
                outcome, failed = run([one], effort, mutant)
                if outcome == "failed":
                    return effort, [f"{suite_of[name]}/{name}" for name in failed]
            print(f"{mutant}: the process stops in {', '.join(filters)}, and no test fails", flush=True)
        if outcome == "hung":
            print(f"{mutant}: {', '.join(filters)} do not end", flush=True)
    return "none", []


def write_table(results, all_mutants):
    lines = [
        "# The bugs that the tests must find",
        "",
        "`make mutants` plants one bug at a time into the engine (Sources/Firn/Storage/Mutants.swift) and expects a test to",
        "fail. This table is its output: for each bug the tests that found it in the last run, of the first group of suites",
        "in which one did, so that others may find it, too. The effort is that of `make test` (sample) or `FIRN_EFFORT=full`.",
        "The next run tries the tests that stand here first. A bug that only hangs the tests counts as not found. Where the",
        "effort is `pending`, the test is the one that should find the bug, and no run has shown it yet.",
    ]
    heading = None
    for name, words, of in all_mutants:
        if of != heading:
            heading = of
            lines += ["", f"## {heading}", "", "| bug | what it does | found by | effort |", "| --- | --- | --- | --- |"]
        effort, tests = results.get(name, ("none", []))
        found = ", ".join(f"`{test}`" for test in tests[:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
        lines.append(f"| `{name}` | {words} | {found or 'no test'} | {effort} |")
    TABLE.write_text("\n".join(lines) + "\n")


def main():
    # A run that is ended ends its tests, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="bugs to plant; all of them where none is named")
    parser.add_argument("--no-build", action="store_true", help="take .build-mutants as it is")
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests without a bug first")
    arguments = parser.parse_args()
    all_mutants = mutants()
    known = [name for name, _, _ in all_mutants]
    for name in arguments.names:
        if name not in known:
            sys.exit(f"{name} is no bug of {SOURCE.relative_to(ROOT)}")
    planted = {name for path in (ROOT / "Sources").rglob("*.swift") if path != SOURCE
               for name in re.findall(r"Mutant\.isPlanted\(\.(\w+)\)", path.read_text())}
    planted |= set(re.findall(r"return isPlanted\(\.(\w+)\)", SOURCE.read_text()))
    if missing := sorted(set(known) ^ planted):
        sys.exit("these are declared or planted alone: " + ", ".join(missing))

    started = time.time()
    if not arguments.no_build:
        subprocess.run(["swift", "build", "--build-tests", *FLAGS], cwd=ROOT, check=True)
        print(f"built in {time.time() - started:.0f} s", flush=True)
    hints = known_catchers()
    suite_of = suites()
    if not arguments.no_baseline:
        began = time.time()
        for effort, filters in STAGES:
            if effort == "sample":
                outcome, failed = run(filters, effort)
                if outcome != "passed":
                    sys.exit(f"without a bug the tests {', '.join(filters)} must pass: {outcome} {', '.join(failed)}")
        print(f"no bug: passed ({time.time() - began:.0f} s)", flush=True)

    results = {name: catchers for name, catchers in hints.items() if name in known}
    for name in arguments.names or known:
        began = time.time()
        results[name] = hunt(name, hints, suite_of)
        effort, tests = results[name]
        found = f"{tests[0]}" + (f" and {len(tests) - 1} more" if len(tests) > 1 else "") if tests else "NOT FOUND"
        print(f"{name}: {found} [{effort}] ({time.time() - began:.0f} s)", flush=True)
        write_table(results, all_mutants)
    survivors = [name for name in arguments.names or known if not results[name][1]]
    print(f"{len(arguments.names or known) - len(survivors)} found, {len(survivors)} not found: "
          f"{', '.join(survivors) or 'none'} ({time.time() - started:.0f} s)")
    sys.exit(1 if survivors else 0)


main()
