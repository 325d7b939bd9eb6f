"""Writes what is generated from the catalogue into the templates, between their marks.

    python3 infra/generate.py            # writes
    python3 infra/generate.py --check    # names the templates that are stale, exit 1
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


def generated(text):
    """The text with each section as the program prints it now."""

    def section(match):
        command = ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter", "--", *match["arguments"].split()]
        printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        return match["begin"] + printed + match["end"]

    return SECTION.sub(section, text)


def main(check):
    stale = []
    for name in TEMPLATES:
        before = (ROOT / name).read_text()
        after = generated(before)
        if after != before:
            stale.append(name)
            if not check:
                (ROOT / name).write_text(after)
    if check and stale:
        sys.exit(f"stale, run `make patterns`: {', '.join(stale)}")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
