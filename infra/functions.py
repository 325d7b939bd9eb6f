"""Holds what `sam build` left against what will run it, before it is deployed.

    infra/functions.py                         # against the architecture that `sam deploy` will ask for
    infra/functions.py --architecture x86_64   # against this one
    infra/functions.py --print-architecture    # the one that `sam deploy` will ask for, and nothing else

A function of the wrong kind, or one that needs a newer C library than the runtime has, deploys without a word and dies
at its first event. Exit 1 when one is so, 2 when there is nothing to look at.
"""

import argparse
import hashlib
import io
import re
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What provided.al2023 has: Amazon Linux 2023 stays at this version.
NEWEST_GLIBC = (2, 34)
# Lambda loads the package before the first event of each new instance. The largest has 3.9 MB.
LARGEST_ZIP = 4_500_000
# As Lambda names them, by the machine in the file's header.
ARCHITECTURES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
NESTED = re.compile(r"^  (\w+):\n    Type: AWS::CloudFormation::Stack\n(?:    .*\n)*?      TemplateURL: (\S+)$", re.MULTILINE)
FUNCTION = re.compile(r"^  (\w+):\n    Type: AWS::Serverless::Function$", re.MULTILINE)
OVERRIDE = re.compile(r"\bArchitecture(?:=|,ParameterValue=)[\"']?(\w+)")


@dataclass
class Program:
    """What of a built function matters to where it runs."""

    name: str
    architecture: str
    # The newest that any of its symbols asks for.
    glibc: tuple[int, ...]
    size: int
    zipped: int
    digest: str

    def __str__(self):
        return (
            f"{self.name:<22}{self.architecture:<8}glibc {version(self.glibc):<6}"
            f"{self.size / 1e6:5.1f} MB, {self.zipped / 1e6:.1f} zipped"
        )


def version(numbers):
    return ".".join(map(str, numbers))


def nested(template):
    """The templates of the template's nested stacks, by the stack's name."""
    return dict(NESTED.findall(template))


def functions(template):
    """The functions of the template by name, and those of its nested stacks by the stack's name and theirs: where they are built."""
    within = {stack: (ROOT / path).read_text() for stack, path in nested(template).items()}
    return FUNCTION.findall(template) + [f"{stack}/{name}" for stack, text in within.items() for name in FUNCTION.findall(text)]


def architecture_to_deploy(config, template):
    """What `sam deploy` asks for: samconfig.toml's word, the command's before the common one, else the template's default."""
    for command in ("deploy", "global"):
        overrides = config.get("default", {}).get(command, {}).get("parameters", {}).get("parameter_overrides", "")
        if isinstance(overrides, dict):
            overrides = [f"{name}={value}" for name, value in overrides.items()]
        told = OVERRIDE.search(overrides if isinstance(overrides, str) else " ".join(map(str, overrides)))
        if told:
            return told[1]
    return re.search(r"^  Architecture:\n(?:    .*\n)*?    Default: (\w+)", template, re.MULTILINE)[1]


def examine(name, content):
    """Reads the program; ValueError when it is none for Linux."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(io.BytesIO(content))
        needs = [
            need.name
            for section in elf.iter_sections("SHT_GNU_verneed")
            for _, needs in section.iter_versions()
            for need in needs
        ]
        machine = elf.header.e_machine
    except ELFError as error:
        raise ValueError(f"{name}: bootstrap is no program for Linux ({error}): build it with `make functions`") from error
    glibc = [tuple(map(int, need.removeprefix("GLIBC_").split("."))) for need in needs if re.match(r"GLIBC_\d", need)]
    return Program(
        name=name,
        architecture=ARCHITECTURES.get(machine, str(machine)),
        glibc=max(glibc, default=()),
        size=len(content),
        zipped=zipped_size(content),
        digest=hashlib.sha256(content).hexdigest(),
    )


def zipped_size(content):
    """In a package as `sam deploy` makes it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bootstrap", content)
    return len(package.getvalue())


def faults(programs, architecture):
    """Why they may not be deployed, a sentence each."""
    for kind in sorted({program.architecture for program in programs} - {architecture}):
        names = ", ".join(program.name for program in programs if program.architecture == kind)
        yield (
            f"built for {kind}, and would be deployed as {architecture}: {names}. "
            f"Build with `make functions ARCHITECTURE={architecture}`, or say Architecture={kind} in samconfig.toml"
        )
    by_digest = {}
    for program in programs:
        if program.glibc > NEWEST_GLIBC:
            yield (
                f"{program.name} needs glibc {version(program.glibc)}, and provided.al2023 has {version(NEWEST_GLIBC)}: "
                "build with `make functions`, which links against an older one"
            )
        if program.zipped > LARGEST_ZIP:
            yield f"{program.name} is larger than {LARGEST_ZIP / 1e6:.1f} MB, zipped: was it built with --release, or did a dependency come in?"
        other = by_digest.setdefault(program.digest, program.name)
        if other != program.name:
            yield f"{program.name} and {other} are the same program: their binaries need names of their own"


def main(arguments):
    template = (ROOT / "template.yaml").read_text()
    config = tomllib.loads(arguments.config.read_text()) if arguments.config.exists() else {}
    architecture = arguments.architecture or architecture_to_deploy(config, template)
    if arguments.print_architecture:
        print(architecture)
        return 0
    paths = {name: arguments.build / name / "bootstrap" for name in functions(template)}
    missing = [name for name, path in paths.items() if not path.is_file()]
    if missing:
        print(f"{arguments.build} has no {', '.join(missing)}: `make functions` builds them", file=sys.stderr)
        return 2
    try:
        programs = [examine(name, path.read_bytes()) for name, path in paths.items()]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(*programs, sep="\n")
    found = list(faults(programs, architecture))
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / ".aws-sam/build")
    parser.add_argument("--config", type=Path, default=ROOT / "samconfig.toml")
    parser.add_argument("--architecture", choices=ARCHITECTURES.values())
    parser.add_argument("--print-architecture", action="store_true")
    sys.exit(main(parser.parse_args()))
