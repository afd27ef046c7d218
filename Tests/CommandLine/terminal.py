# SPDX-License-Identifier: Apache-2.0
"""What people rely on: the shell on a terminal, driven through a pseudo-terminal."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import equal, test

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07")


class Terminal:
    """A process on a pseudo-terminal of its own, 100 columns wide."""

    def __init__(self, firn, *arguments, stderr=None, environment=None):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            for name in ("PAGER", "PSQL_PAGER", "EDITOR", "VISUAL", "PSQL_EDITOR"):
                os.environ.pop(name, None)
            os.environ.update(TERM="xterm", FIRN_HISTORY=str(firn.folder / "history"), **(environment or {}))
            os.chdir(firn.folder)
            if stderr is not None:
                os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.execv(firn.path, [firn.path, *arguments])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        # A character may come in two pieces.
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.pending = ""
        self.raw = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def send(self, text):
        os.write(self.master, text.encode())

    def line(self, text):
        """Types a line and waits for the next prompt; returns what was shown between."""
        self.send(text + "\r")
        return self.prompt()

    def prompt(self, kind="=", timeout=15):
        """What is shown up to a prompt with nothing behind it."""
        shown = self.expect(rf"firn{re.escape(kind)}> $", timeout)
        # libedit shows the prompt a moment before it takes the terminal over; a Ctrl-D between is lost.
        while termios.tcgetattr(self.master)[3] & termios.ICANON:
            time.sleep(0.001)
        return shown

    def expect(self, pattern, timeout=15):
        """Reads until `pattern` is in what was shown; returns all of that, up to its end."""
        until = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.pending)
            if found:
                shown, self.pending = self.pending[: found.end()], self.pending[found.end():]
                return shown
            left = until - time.monotonic()
            assert left > 0, f"no {pattern!r} within {timeout} s; shown: {self.pending!r}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:
                    piece = b""
                assert piece, f"the process ended before {pattern!r}; shown: {self.pending!r}"
                piece = self.decoder.decode(piece)
                self.raw += piece
                self.pending = ESCAPE.sub("", self.pending + piece).replace("\r\n", "\n").replace("\r", "")

    def end(self, timeout=15):
        """Waits for the process to end; returns its exit code and what it showed last."""
        shown = self.pending
        while select.select([self.master], [], [], timeout)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += self.decoder.decode(piece)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status), ESCAPE.sub("", shown).replace("\r", "")


def shell(firn, **environment):
    """The shell on a database with a table, at its first prompt."""
    firn.sql("CREATE TABLE temperature_readings (time TIMESTAMPTZ NOT NULL, sensor TEXT NOT NULL, value DOUBLE PRECISION); "
             "INSERT INTO temperature_readings SELECT '2026-01-01'::timestamptz + i * interval '1 minute', 's' || (i % 2), "
             "20 + sin(i / 10.0) FROM generate_series(1, 200) AS g(i)")
    return shell_again(firn, **environment)


@test
def the_shell_runs_statements_over_several_lines(firn):
    with shell(firn) as terminal:
        terminal.send("SELECT 1 AS one,\r")
        terminal.prompt("-")
        shown = terminal.line("  2 AS two;")
        assert " one | two\n-----+-----\n   1 |   2\n(1 row)\n" in shown, shown
        terminal.send("SELECT length('a\r")
        terminal.prompt("'")
        assert "3\n(1 row)" in terminal.line("b') AS n;")


@test
def an_error_is_shown_and_the_shell_goes_on(firn):
    with shell(firn) as terminal:
        shown = terminal.line("SELECT nope FROM temperature_readings;")
        assert 'error: column "nope" does not exist (42703)' in shown, shown
        assert "^ line 1, column 8" in shown, shown
        assert "(1 row)" in terminal.line("SELECT 1 AS a;")
        assert "error: invalid command \\nonsense" in terminal.line("\\nonsense")
        assert "\\watch" in terminal.line("\\?")


@test
def the_shell_describes_tables(firn):
    with shell(firn) as terminal:
        for command in ("\\d", "\\dt"):
            assert "temperature_readings" in terminal.line(command)
        shown = terminal.line("\\d temperature_readings")
        assert "sensor" in shown and "timestamp with time zone" in shown, shown
        assert "(42P01)" in terminal.line("\\d nowhere")


@test
def timing_expanded_echo_files_and_copy_work(firn):
    (firn.folder / "script.sql").write_text("SELECT 6 * 7 AS answer;\nSELECT 'second' AS word;\n")
    with shell(firn) as terminal:
        assert "Timing is on." in terminal.line("\\timing")
        assert re.search(r"Time: \d+\.\d{3} ms", terminal.line("SELECT 1 AS a;"))
        assert "Timing is off." in terminal.line("\\timing off")
        assert "Expanded display is on." in terminal.line("\\x")
        shown = terminal.line("SELECT 1 AS a, 'x' AS word;")
        assert "-[ RECORD 1 ]" in shown and "word | x" in shown, shown
        terminal.line("\\x")
        assert "hello there" in terminal.line("\\echo hello there")
        shown = terminal.line("\\i script.sql")
        assert "42" in shown and "second" in shown, shown
        assert "COPY 200" in terminal.line("\\copy temperature_readings TO 'out.csv' (FORMAT csv, HEADER)")
        assert (firn.folder / "out.csv").read_text().startswith("time,sensor,value\n")
        terminal.line("\\format csv")
        assert "answer\n42\n" in terminal.line("SELECT 42 AS answer;")


@test
def a_chart_draws_the_last_result(firn):
    with shell(firn) as terminal:
        assert "there is no result to draw" in terminal.line("\\chart")
        terminal.line("SELECT time, value FROM temperature_readings WHERE sensor = 's1' ORDER BY time;")
        shown = terminal.line("\\chart")
        assert len(re.findall(r"[\u2801-\u28ff]", shown)) > 50, shown
        assert "2026-01-01 00:01:00+00" in shown and "━ value" in shown, shown
        assert max(len(line) for line in shown.split("\n")) <= 100, shown


@test
def watch_repeats_until_control_c(firn):
    with shell(firn) as terminal:
        terminal.line("SELECT count(*) AS n FROM temperature_readings;")
        terminal.send("\\watch 0.2\r")
        for _ in range(3):
            terminal.expect(r"200\n\(1 row\)\n")
        started = time.monotonic()
        terminal.send("\x03")
        terminal.prompt()
        assert time.monotonic() - started < 2, "Ctrl-C did not stop \\watch at once"
        assert "(1 row)" in terminal.line("SELECT 1 AS a;")


@test
def control_c_cancels_the_statement_and_not_the_shell(firn):
    with shell(firn) as terminal:
        for sql in ("SELECT count(*) FROM generate_series(1, 100000000000);",
                    "SELECT * FROM generate_series(1, 100000000000) AS g(i) WHERE i < 0;"):
            terminal.send(sql + "\r")
            time.sleep(0.7)
            started = time.monotonic()
            terminal.send("\x03")
            shown = terminal.prompt()
            assert time.monotonic() - started < 1.5, f"took {time.monotonic() - started:.1f} s"
            assert "error: canceling statement due to user request (57014)" in shown, shown
        assert "(1 row)" in terminal.line("SELECT 1 AS a;")


@test
def control_c_at_the_prompt_gives_the_line_up(firn):
    with shell(firn) as terminal:
        for _ in range(3):
            terminal.send("SELECT this is nothing")
            time.sleep(0.2)
            terminal.send("\x03")
            terminal.prompt()
        terminal.send("SELECT 1,\r")
        terminal.prompt("-")
        terminal.send("\x03")
        terminal.prompt()
        shown = terminal.line("SELECT 5 AS five;")
        assert " five\n------\n    5\n(1 row)\n" in shown, shown


@test
def control_d_and_backslash_q_leave(firn):
    for typed in ("\x04", "\\q\r"):
        with shell(firn) as terminal:
            terminal.send(typed)
            equal(terminal.end()[0], 0)
        firn.sql("DROP TABLE temperature_readings")


@test
def history_outlives_the_shell(firn):
    with shell(firn) as terminal:
        terminal.line("SELECT 'remember me' AS word;")
        terminal.send("\x04")
        equal(terminal.end()[0], 0)
    assert "remember" in (firn.folder / "history").read_text()
    with Terminal(firn, firn.db) as terminal:
        terminal.prompt()
        terminal.send("\x1b[A")
        terminal.expect(r"remember me' AS word;")
        assert "(1 row)" in terminal.line("")


@test
def letters_beyond_ascii_can_be_typed_and_edited(firn):
    with shell(firn) as terminal:
        terminal.send("SELECT length('é東x\x7f\x7f') AS n;")
        shown = terminal.line("")
        assert " n\n---\n 1\n(1 row)" in shown, shown


@test
def tab_completes_tables_columns_and_keywords(firn):
    with shell(firn) as terminal:
        terminal.send("sel\t")
        terminal.expect(r"select ")
        terminal.send("count(*) AS n FROM temperature_r\t")
        terminal.expect(r"temperature_readings ")
        shown = terminal.line("WHERE sens\t= 's1';")
        assert "100\n(1 row)" in shown, shown


@test
def copy_shows_its_progress_on_a_terminal_and_nowhere_else(firn):
    rows = "".join(f"2026-01-01T00:00:00Z,sensor_{i % 9},{i}.5\n" for i in range(1500000))
    (firn.folder / "big.csv").write_text(rows)
    sql = "COPY temperature_readings FROM 'big.csv' WITH (FORMAT csv)"
    with shell(firn) as terminal:
        terminal.send(sql + ";\r")
        assert "COPY 1500000" in terminal.prompt(timeout=60)
        assert re.search(r"COPY +[█░]+ \d+ %", terminal.raw), terminal.raw[-2000:]
    with Terminal(firn, firn.db, "-c", sql, stderr=firn.folder / "errors") as terminal:
        code, shown = terminal.end(timeout=60)
        equal((code, shown), (0, "COPY 1500000\n"))
        equal((firn.folder / "errors").read_text(), "")


@test
def rows_for_copy_can_be_typed(firn):
    with shell(firn) as terminal:
        terminal.line("CREATE TABLE typed (a BIGINT, b TEXT);")
        terminal.send("COPY typed FROM STDIN (FORMAT csv);\r")
        terminal.expect(r"on a line of its own")
        terminal.send("1,x\n2,y\n\\.\n")
        assert "COPY 2" in terminal.prompt()
        assert "(2 rows)" in terminal.line("SELECT * FROM typed;")


@test
def control_c_ends_a_script_with_an_error(firn):
    process = subprocess.Popen([firn.path, "-c", "SELECT count(*) FROM generate_series(1, 100000000000)", "-c", "SELECT 1"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=5)
    equal((process.returncode, out), (1, ""))
    assert "(57014)" in error, error


@test
def a_long_result_goes_through_the_pager(firn):
    pager = f"sed 's/^/paged: /' | head -n 3; echo {'x' * 3}"
    with shell(firn, PAGER=pager) as terminal:
        shown = terminal.line("SELECT value FROM temperature_readings;")
        assert "paged:        value" in shown and "xxx" in shown and "rows)" not in shown, shown
        # A pager that ends early ends the query too.
        assert "paged: " in terminal.line("SELECT * FROM generate_series(1, 100000000000) AS g(i);")
        for text in ("SELECT 1 AS a;", "SELECT value FROM temperature_readings LIMIT 5;"):
            assert "paged" not in terminal.line(text)
        shown = terminal.line("SELECT repeat('x', 200) AS wide;")
        assert "paged: " in shown, shown
        assert "Pager is always used." in terminal.line("\\pset pager always")
        assert "paged:" in terminal.line("SELECT 1 AS a;")
        assert "Pager usage is off." in terminal.line("\\pset pager off")
        shown = terminal.line("SELECT value FROM temperature_readings;")
        assert "paged" not in shown and "(200 rows)" in shown, shown


@test
def a_table_that_outgrows_the_terminal_is_cut_with_a_note(firn):
    with shell(firn) as terminal:
        shown = terminal.line("SELECT i AS number FROM generate_series(1, 1000) AS g(i);")
        assert "(1000 rows, 24 shown; " in shown and "\n      1\n" in shown and "\n   1000\n" in shown and "\n    500\n" not in shown, shown
        assert shown.count("\n") <= 30, shown
        columns = ", ".join(f"{i} AS column_{i:02d}" for i in range(30))
        shown = terminal.line(f"SELECT {columns};".replace("AS ", ""))
        assert "(1 row; 30 columns, 8 shown; " in shown and " … " in shown, shown
        rows = shown[shown.index("\n column_00 |"):]
        assert max(len(line) for line in rows.split("\n")) <= 100, shown
        shown = terminal.line("SELECT repeat('long ', 100) AS text, 1 AS one;")
        assert "…" in shown and "(1 row)" in shown, shown
        terminal.line("\\x on")
        shown = terminal.line("SELECT i, i AS j FROM generate_series(1, 1000) AS g(i);")
        assert "(1000 rows, 9 shown; " in shown and "RECORD 9 " in shown and "RECORD 10" not in shown, shown
        terminal.line("\\x auto")
        assert "RECORD 1" in terminal.line(f"SELECT {columns};".replace("AS ", ""))
        assert "RECORD" not in terminal.line("SELECT 1 AS a;")
        terminal.line("\\pset pager off")
        assert "(1000 rows)" in terminal.line("SELECT i FROM generate_series(1, 1000) AS g(i);")
    # What is no terminal gets everything.
    assert "(1000 rows)" in firn.sql("SELECT i FROM generate_series(1, 1000) AS g(i)")


@test
def exit_quit_and_help_are_understood(firn):
    for typed in ("exit\r", "quit;\r", "EXIT\r"):
        with Terminal(firn) as terminal:
            terminal.prompt()
            assert "\\watch" in terminal.line("help")
            terminal.send(typed)
            equal(terminal.end()[0], 0)
    with Terminal(firn) as terminal:
        terminal.prompt()
        terminal.send("SELECT 1 AS\r")
        terminal.prompt("-")
        terminal.send("quit\r")
        assert "Use \\q" in terminal.prompt("-")
        assert " quit\n------\n    1\n" in terminal.line(";")


@test
def history_has_statements_exactly_as_typed(firn):
    with shell(firn) as terminal:
        terminal.send("SELECT 1 AS one,\r")
        terminal.prompt("-")
        terminal.send("    2  AS   two -- it's two\r")
        terminal.prompt("-")
        assert "(1 row)" in terminal.line(";")
        terminal.send("\x04")
        terminal.end()
    with Terminal(firn, firn.db) as terminal:
        terminal.prompt()
        terminal.send("\x1b[A")
        shown = terminal.expect(r"it's two\n.*;")
        assert "SELECT 1 AS one,\n" in shown and "    2  AS   two -- it's two\n" in shown, shown
        assert " one | two\n-----+-----\n   1 |   2\n" in terminal.line("")


@test
def control_c_leaves_typed_copy_and_takes_no_row(firn):
    with shell(firn) as terminal:
        terminal.line("CREATE TABLE typed (a BIGINT, b TEXT);")
        terminal.send("COPY typed FROM STDIN (FORMAT csv);\r")
        terminal.expect(r"gives them up\.\n")
        terminal.send("1,x\r2,y\r")
        time.sleep(0.3)
        terminal.send("\x03")
        assert "error: canceling statement due to user request (57014)" in terminal.prompt()
        assert " 0\n(1 row)" in terminal.line("SELECT count(*) AS n FROM typed;")
        terminal.send("COPY typed FROM STDIN (FORMAT csv);\r")
        terminal.expect(r"gives them up\.\n")
        terminal.send("1,x\r\x04")
        assert "COPY 1" in terminal.prompt()
        assert " 1\n(1 row)" in terminal.line("SELECT count(*) AS n FROM typed;")


@test
def rows_of_a_failed_copy_are_not_taken_for_sql(firn):
    with shell(firn) as terminal:
        terminal.line("CREATE TABLE typed (a BIGINT, b TEXT);")
        # Pasted at once, the statement behind the data too.
        terminal.send("COPY typed FROM STDIN (FORMAT csv);\rone,x\rDROP TABLE typed;\r\\.\rSELECT 'after' AS word;\r")
        shown = terminal.expect(r" after\n\(1 row\)")
        assert "(22P02)" in shown and "DROP TABLE\n" not in shown.replace("DROP TABLE typed;", ""), shown
        terminal.prompt()
        assert " 0\n(1 row)" in terminal.line("SELECT count(*) AS n FROM typed;")
        terminal.send("COPY nowhere FROM STDIN;\r1\tx\rDROP TABLE typed;\r\\.\rSELECT 'later' AS word;\r")
        shown = terminal.expect(r" later\n\(1 row\)")
        assert "(42P01)" in shown and "(42601)" not in shown, shown
        terminal.prompt()
        # Typed by hand, the shell is back at its prompt at once.
        assert "(42P01)" in terminal.line("COPY nowhere FROM STDIN;")
        assert " 0\n(1 row)" in terminal.line("SELECT count(*) AS n FROM typed;")


@test
def tab_completes_by_context(firn):
    (firn.folder / "rows_of_mine.csv").write_text("2026-01-01,a,1\n")
    (firn.folder / "run_me.sql").write_text("SELECT 'ran' AS word;\n")
    with shell(firn) as terminal:
        for typed, completed in [
            ("\\cha\t", r"\\chart "), ("SET dur\t", "SET durability "), ("SELECT date_tr\t", r"SELECT date_trunc\("),
            ("\\d temp\t", "temperature_readings "), ("DESCRIBE temp\t", "temperature_readings "), ("\\pset tup\t", "tuples_only "),
            ("SELECT t.sen\t", ""), ("\\x au\t", "auto ")]:
            terminal.send(typed)
            if completed:
                terminal.expect(completed)
            terminal.send("\x03")
            terminal.prompt()
        assert "ran" in terminal.line("\\i run_\t")
        assert "COPY 1" in terminal.line("COPY temperature_readings FROM 'rows_of\t (FORMAT csv);")
        terminal.send("SELECT count(*) AS n\r")
        terminal.prompt("-")
        terminal.send("FROM temperature_readings AS t WHERE t.sens\t")
        terminal.expect("sensor ")
        assert "1\n(1 row)" in terminal.line("= 'a';")


@test
def statements_can_be_edited(firn):
    editor = firn.folder / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/one/two/; s/1/2/' \"$1\"\n")
    editor.chmod(0o755)
    with shell(firn, EDITOR=str(editor)) as terminal:
        terminal.line("SELECT 1 AS one;")
        shown = terminal.line("\\e")
        assert "SELECT 2 AS two;" in shown and " two\n-----\n   2\n" in shown, shown
        terminal.send("SELECT 1 AS\r")
        terminal.prompt("-")
        shown = terminal.line("one \\e")
        terminal.send("\x1b[A")
        terminal.expect("two")
        terminal.send("\x03")
        terminal.prompt()
    with shell_again(firn, EDITOR="false") as terminal:
        assert "the editor \"false\" failed" in terminal.line("\\e")


def shell_again(firn, **environment):
    """Another shell on the same database."""
    terminal = Terminal(firn, firn.db, environment=environment)
    terminal.prompt()
    return terminal


@test
def watch_shows_the_time_and_a_title(firn):
    with shell(firn) as terminal:
        terminal.line("\\C Readings")
        terminal.send("SELECT 1 AS a \\watch 0.2\r")
        for _ in range(2):
            terminal.expect(r"Readings\t\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4} \(every 0\.2s\)\n\n a\n---\n 1\n\(1 row\)\n")
        terminal.send("\x03")
        terminal.prompt()
        assert "Title is unset" in terminal.line("\\C")


@test
def a_chart_of_categories_has_bars(firn):
    with shell(firn) as terminal:
        terminal.line("SELECT sensor, count(*) AS n FROM temperature_readings GROUP BY sensor ORDER BY sensor;")
        shown = terminal.line("\\chart")
        assert re.search(r"s0 │█+ 100\ns1 │█+ 100\n", shown), shown


@test
def results_go_to_files_and_commands(firn):
    with shell(firn) as terminal:
        terminal.line("\\o results.txt")
        assert "row" not in terminal.line("SELECT 1 AS a;")
        terminal.line("\\o")
        equal((firn.folder / "results.txt").read_text(), " a\n---\n 1\n(1 row)\n")
        assert "row" not in terminal.line("SELECT 2 AS a \\g other.txt")
        equal((firn.folder / "other.txt").read_text(), " a\n---\n 2\n(1 row)\n")
        assert "4" in terminal.line("SELECT 3 AS a \\g | wc -l")
        assert "cannot open" in terminal.line("\\o /nowhere/file")
        assert "(1 row)" in terminal.line("SELECT 1 AS a;")
