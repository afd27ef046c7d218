# SPDX-License-Identifier: Apache-2.0
"""Runs the sessions of docs/command.md and compares what they print; a row of a table without a session fails.

Two kinds of fences are run, all of them in one folder, in their order:

    ```console     lines behind `$ ` run in bash, with `firn` as the command under test
    ```firn DB     lines behind a prompt are typed into a shell on DB, on a terminal of 30 x 100 characters

A line `…` stands for any lines, `…` within a line for any text.
"""
import os
import re
import subprocess

from harness import ROOT, test
from terminal import Terminal

DOCUMENT = ROOT / "docs" / "command.md"
PROMPT = re.compile(r"^firn([=\-'\"*$])> ?(.*)$")


def parts():
    """Tables, as lists of first cells with the heading in front, and sessions, as kind and lines, in their order."""
    found, table, fence = [], None, None
    for line in DOCUMENT.read_text().splitlines():
        if fence is not None:
            if line == "```":
                found.append(("session", fence))
                fence = None
            else:
                fence[1].append(line)
        elif line.startswith("```"):
            fence = (line[3:], [])
        elif line.startswith("|"):
            cell = re.split(r"(?<!\\)\|", line)[1].strip()
            if table is None:
                table = [cell]
                found.append(("table", table))
            elif not re.fullmatch(r"[-: ]+", cell):
                table.append(cell)
        else:
            table = None
    return found


def typed(session):
    """What a person types in a session."""
    kind, lines = session
    if kind == "console":
        return [line[2:] for line in lines if line.startswith("$ ")]
    return [PROMPT.match(line).group(2) for line in lines if PROMPT.match(line)]


def examples_wanted(heading, cell):
    """Patterns of which each must be in a typed line, for the row of a table."""
    codes = [code.replace("\\|", "|") for code in re.findall(r"`([^`]+)`", cell)]
    assert codes, f"a row without code: {cell!r}"
    option = re.fullmatch(r"`(--[a-z-]+)`", heading)
    if option:
        return [rf"{option.group(1)} {re.escape(codes[0])}(?!\w)"]
    if heading == "exit code":
        return [r"echo \$\?"]
    if heading == "file":
        return [r"firn inspect .*" + re.escape(codes[0]).replace("<n>", r"(?:\d+|\*)")]
    wanted = []
    for code in codes:
        # Words in capitals, and those in brackets, stand for others.
        words = [word for word in re.sub(r"\[.*", "", code).split() if not re.fullmatch(r"[A-Z=]+|…", word)]
        if code.startswith(("\\", "-")) or heading == "variable":
            wanted.append(r"(?<!\w)" + r" ".join(map(re.escape, words or [code])) + r"(?!\w)")
    return wanted


def matches(expected, found):
    pattern = ""
    for line in expected:
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(piece) for piece in line.rstrip().split("…")) + r"\n"
    return re.fullmatch(pattern, found) is not None


def steps(lines, begins):
    """Each typed line with the lines that are to be printed behind it."""
    found = []
    for line in lines:
        if begins(line):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def difference(line, expected, shown):
    return f"docs/command.md: {line}\n--- expected\n" + "\n".join(expected) + f"\n--- printed\n{shown}"


def run_console(firn, lines):
    folder = firn.folder / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "firn").unlink(missing_ok=True)
    (folder / "firn").symlink_to(firn.path)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "FIRN_HISTORY": str(firn.folder / "history")}
    for line, expected in steps(lines, lambda line: line.startswith("$ ")):
        done = subprocess.run(["bash", "-c", line[2:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, cwd=firn.folder, env=environment)
        assert matches(expected, done.stdout), difference(line, expected, done.stdout)


def run_shell(firn, database, lines):
    os.environ.pop("PAGER", None)
    os.environ.pop("PSQL_PAGER", None)
    script = steps(lines, PROMPT.match)
    with Terminal(firn, str(firn.folder / database)) as terminal:
        terminal.prompt()
        for index, (line, expected) in enumerate(script):
            text = PROMPT.match(line).group(2)
            terminal.send(text + "\r")
            if index + 1 == len(script) and text == "\\q":
                assert terminal.end()[0] == 0
                return
            kind = PROMPT.match(script[index + 1][0]).group(1) if index + 1 < len(script) else "="
            shown = terminal.prompt(kind)
            # What was typed is shown first, the next prompt last.
            shown = shown.split("\n", 1)[1] if "\n" in shown else ""
            shown = "".join(part.rstrip() + "\n" for part in shown.split("\n")[:-1])
            assert matches(expected, shown), difference(line, expected, shown)


@test
def every_row_of_the_documents_tables_has_an_example(firn):
    found = parts()
    missing = []
    for index, (kind, table) in enumerate(found):
        if kind != "table":
            continue
        # The sessions behind the table, up to the next one.
        lines = []
        for following, session in found[index + 1:]:
            if following == "table":
                break
            lines += typed(session)
        for cell in table[1:]:
            for wanted in examples_wanted(table[0], cell):
                if not any(re.search(wanted, line) for line in lines):
                    missing.append(f"{table[0]}: {cell} ({wanted})")
    assert not missing, "rows without an example:\n  " + "\n  ".join(missing)
    return f"{sum(len(table) - 1 for kind, table in found if kind == 'table')} rows"


@test
def the_documents_sessions_print_what_it_says(firn):
    count = 0
    for kind, session in parts():
        if kind != "session":
            continue
        fence, lines = session
        if fence == "console":
            run_console(firn, lines)
        elif fence.startswith("firn "):
            run_shell(firn, fence.split()[1], lines)
        else:
            raise AssertionError(f"a fence of a kind that is not run: {fence!r}")
        count += len(typed(session))
    return f"{count} lines"
