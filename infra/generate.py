"""Writes what is generated from the catalogue into the templates, between their marks.

    python3 infra/generate.py target/debug/tripmeter            # writes
    python3 infra/generate.py target/debug/tripmeter --check    # names the files that are stale, exit 1
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATES = ["template.yaml", "infra/forwarder.yaml", "infra/trail.yaml"]
SECTION = re.compile(
    r"(?P<begin>^ *# BEGIN generated: tripmeter (?P<arguments>[^\n]*)\n).*?(?P<end>^ *# END generated$)",
    re.DOTALL | re.MULTILINE,
)


def generated(text, tripmeter):
    """The text with each section as the program prints it now."""

    def section(match):
        command = [tripmeter, *match["arguments"].split()]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return match["begin"] + printed + match["end"]

    return SECTION.sub(section, text)


def stale(tripmeter):
    """The templates that are not what the catalogue says, with what they should be."""
    for name in TEMPLATES:
        before = (ROOT / name).read_text()
        after = generated(before, tripmeter)
        if after != before:
            yield name, after


def main(tripmeter, check=None):
    names = []
    for name, text in stale(tripmeter):
        names.append(name)
        if check is None:
            (ROOT / name).write_text(text)
    if check and names:
        sys.exit(f"stale, run `make patterns`: {', '.join(names)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
