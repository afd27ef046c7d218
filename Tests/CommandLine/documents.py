# SPDX-License-Identifier: Apache-2.0
"""What README shows is run as it stands: its SQL, in the repository's own folder."""
import pathlib
import re

from harness import ROOT, test


def blocks(path, language):
    """The fenced blocks of a document in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


@test
def the_sql_of_readme_runs(firn):
    found = blocks(ROOT / "README.md", "sql")
    assert found, "README shows no SQL"
    for block in found:
        done = firn.run("sql", "--format", "csv", input=block, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        assert "2015-01-27,232058" in done.stdout, done.stdout
    return f"{len(found)} block"
