"""What was built is held against what will run it, before it is deployed."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import functions
import pytest
from conftest import ROOT

TEMPLATE = (ROOT / "template.yaml").read_text()
NAMES = functions.functions(TEMPLATE)
# Where a program's header says for which machine it is, and how it says ARM64.
MACHINE, ARM64 = slice(18, 20), (183).to_bytes(2, "little")


@pytest.fixture(scope="session")
def program():
    """A program of this machine that needs no newer C library than the runtime has."""
    content = Path(sys.executable).resolve().read_bytes()
    if functions.examine("python", content).architecture != "x86_64":
        pytest.skip("the tests turn a program for x86_64 into others")
    newer = [need for need in glibc_needs(content) if tuple(map(int, need.split(b"."))) > functions.NEWEST_GLIBC]
    for need in newer:
        content = content.replace(b"GLIBC_" + need + b"\0", b"GLIBC_2.34\0")
    return content


def glibc_needs(content):
    return set(re.findall(rb"GLIBC_(\d+\.\d+)\0", content))


def needing(content, version):
    """The program as if it needed this version, which is as long as `2.34`."""
    newest = max(glibc_needs(content), key=lambda need: tuple(map(int, need.split(b"."))))
    return content.replace(b"GLIBC_" + newest + b"\0", b"GLIBC_" + version + b"\0")


def for_arm64(content):
    changed = bytearray(content)
    changed[MACHINE] = ARM64
    return bytes(changed)


@pytest.fixture
def build(tmp_path, program):
    """Lays out what `sam build` leaves, each function a program of its own; some of them others."""

    def build(**others):
        for name in NAMES:
            (tmp_path / name).mkdir(parents=True)
            content = others.get(name, others.get("all", program))
            if content is not None:
                (tmp_path / name / "bootstrap").write_bytes(content if name in others else content + name.encode())
        return tmp_path

    return build


def check(build, *arguments):
    command = [sys.executable, ROOT / "infra/functions.py", "--build", build, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_programs_of_the_asked_kind_pass(build):
    result = check(build(), "--architecture", "x86_64")

    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [[name, "x86_64"] for name in NAMES]


def test_programs_of_another_kind_are_refused_and_the_way_out_is_said(build):
    result = check(build(), "--architecture", "arm64")

    assert result.returncode == 1
    assert result.stderr == (
        f"built for x86_64, and would be deployed as arm64: {', '.join(NAMES)}. "
        "Build with `make functions ARCHITECTURE=arm64`, or say Architecture=x86_64 in samconfig.toml\n"
    )


def test_one_program_of_another_kind_among_them_is_refused_by_name(build, program):
    result = check(build(NotifyFunction=for_arm64(program)), "--architecture", "x86_64")

    assert result.returncode == 1
    assert result.stderr.startswith("built for arm64, and would be deployed as x86_64: NotifyFunction. ")


def test_arm64_programs_pass_where_arm64_is_asked_for(build, program):
    result = check(build(all=for_arm64(program)), "--architecture", "arm64")

    assert (result.returncode, result.stderr) == (0, "")


def test_a_newer_glibc_than_the_runtime_has_is_refused(build, program):
    result = check(build(UsageFunction=needing(program, b"2.35")), "--architecture", "x86_64")

    assert result.returncode == 1
    assert result.stderr.startswith("UsageFunction needs glibc 2.35, and provided.al2023 has 2.34")


def test_the_runtimes_own_glibc_passes(build, program):
    result = check(build(UsageFunction=needing(program, b"2.34")), "--architecture", "x86_64")

    assert result.returncode == 0, result.stderr


def test_two_functions_of_the_same_program_are_refused(build, program):
    result = check(build(UsageFunction=program, CanaryFunction=program), "--architecture", "x86_64")

    assert result.returncode == 1
    assert "CanaryFunction and UsageFunction are the same program" in result.stderr


def test_a_package_that_has_grown_is_refused(build, program):
    result = check(build(UsageFunction=program + os.urandom(functions.LARGEST_ZIP)), "--architecture", "x86_64")

    assert result.returncode == 1
    assert result.stderr.startswith("UsageFunction is larger than 4.5 MB, zipped")


def test_what_is_no_program_is_refused(build):
    result = check(build(CanaryFunction=b"#!/bin/sh\n"), "--architecture", "x86_64")

    assert result.returncode == 1
    assert result.stderr.startswith("CanaryFunction: bootstrap is no program for Linux")


def test_a_function_that_was_not_built_is_named(build):
    result = check(build(UsageFunction=None), "--architecture", "x86_64")

    assert result.returncode == 2
    assert "has no UsageFunction: `make functions` builds them" in result.stderr


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", "arm64"),
        ('[default.global.parameters]\nparameter_overrides = "Architecture=x86_64"', "x86_64"),
        ('[default.deploy.parameters]\nparameter_overrides = "Mode=\\"observe\\" Architecture=\\"x86_64\\""', "x86_64"),
        ('[default.deploy.parameters]\nparameter_overrides = ["Mode=observe", "Architecture=x86_64"]', "x86_64"),
        ('[default.deploy.parameters.parameter_overrides]\nArchitecture = "x86_64"', "x86_64"),
        ('[default.deploy.parameters]\nparameter_overrides = "ParameterKey=Architecture,ParameterValue=x86_64"', "x86_64"),
        (
            '[default.global.parameters]\nparameter_overrides = "Architecture=x86_64"\n'
            '[default.deploy.parameters]\nparameter_overrides = "Architecture=arm64"',
            "arm64",
        ),
    ],
)
def test_the_architecture_is_what_sam_deploy_would_ask_for(config, expected):
    assert functions.architecture_to_deploy(tomllib.loads(config), TEMPLATE) == expected


def test_what_is_deployed_is_what_is_checked_when_nothing_is_said(build, tmp_path):
    config = tmp_path / "samconfig.toml"
    config.write_text('[default.deploy.parameters]\nparameter_overrides = "Architecture=x86_64"')

    result = check(build(), "--config", config)

    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def packages():
    """The workspace's packages by folder."""
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked", "--offline"]
    found = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True, text=True).stdout)["packages"]
    return {Path(package["manifest_path"]).parent.relative_to(ROOT).as_posix(): package for package in found}


def test_no_two_binaries_of_the_workspace_have_the_same_name(packages):
    names = [name for package in packages.values() for name in binaries(package)]

    assert len(names) > len(NAMES)
    assert sorted(names) == sorted(set(names))


def test_each_function_is_built_from_the_only_binary_of_its_package(packages):
    properties = r"BuildProperties: \{Binary: (\S+?)\}\}?\n(?:      .*\n)*?    Properties:\n(?:      .*\n)*?      CodeUri: (\S+)"
    templates = [ROOT / "template.yaml", *(ROOT / nested for nested in functions.nested(TEMPLATE).values())]
    built = [
        (binary, (template.parent / folder).resolve().relative_to(ROOT).as_posix())
        for template in templates
        for binary, folder in re.findall(properties, template.read_text())
    ]

    assert len(built) == len(NAMES)
    for binary, folder in built:
        assert binaries(packages[folder]) == [binary]


def binaries(package):
    return [target["name"] for target in package["targets"] if "bin" in target["kind"]]


def test_a_fresh_clone_builds_and_deploys_the_same_kind():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]

    assert functions.architecture_to_deploy({"default": config}, TEMPLATE) == "arm64"
    assert "parameter_overrides" not in config["build"]["parameters"]
