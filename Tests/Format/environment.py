# SPDX-License-Identifier: Apache-2.0
"""The Python packages that the reader needs, pinned in requirements.txt, in a virtual environment of their own: .venv-format
in the repository's folder. A script that calls `enter()` first runs in it from there on."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".venv-format"
INSTALLED = FOLDER / "installed.txt"


def enter():
    """Makes the environment where it is missing or old; fails where that is not possible."""
    if not INSTALLED.exists() or INSTALLED.read_text() != REQUIREMENTS.read_text():
        make()
    if pathlib.Path(sys.prefix).resolve() != FOLDER.resolve():
        python = str(FOLDER / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def make():
    print(f"installing {', '.join(REQUIREMENTS.read_text().split())} into {FOLDER}", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    python = str(FOLDER / "bin" / "python")
    for command in (
        [sys.executable, "-m", "venv", str(FOLDER)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(
                f"error: {' '.join(command)} failed: the reader of the format cannot be tested without these packages.\n"
                f"{done.stdout}{done.stderr}".rstrip()
            )
    INSTALLED.write_text(REQUIREMENTS.read_text())
