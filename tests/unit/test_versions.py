"""What is installed is pinned and has its hashes: pyproject.toml, constraints.txt, requirements."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from warehouse.project import PROJECT

HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def asked(*extras: str) -> list[Requirement]:
    """What pyproject.toml names, with that of its extras, its own extras among them opened."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [Requirement(text) for text in project["dependencies"]]
    for extra in extras:
        for text in project["optional-dependencies"][extra]:
            requirement = Requirement(text)
            own = requirement.name == project["name"]
            named += asked(*requirement.extras) if own else [requirement]
    return named


def pinned(name: str) -> dict[str, str]:
    """Package to version, of lines that pin one."""
    lines = (PROJECT / name).read_text("utf-8").splitlines()
    requirements = [Requirement(line.rstrip(" \\")) for line in lines if "==" in line.split(";")[0]]
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in requirements
    }


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("requirements/runtime.txt", ()),
        ("requirements/dev.txt", ("dev",)),
        ("requirements/spark.txt", ("spark",)),
    ],
)
def test_lists_hold_what_is_asked_for_in_the_versions_of_the_constraints(
    name: str, extras: tuple[str, ...]
) -> None:
    versions, everything = pinned(name), pinned("constraints.txt")
    for requirement in asked(*extras):
        found = versions.get(canonicalize_name(requirement.name))
        assert found is not None, f"{requirement.name} is not in {name}: run `make versions`"
        assert requirement.specifier.contains(found), f"{requirement} and {found}: `make versions`"
    build = {"setuptools"}  # built without isolation, so in the lists, and nothing that is run
    differ = {one for one in versions if everything.get(one) != versions[one]} - build
    assert not differ, f"other versions in constraints.txt: {differ}; run `make versions`"


@pytest.mark.parametrize("name", ["runtime", "dev", "spark"])
def test_every_package_has_hashes_and_nothing_else_stands_there(name: str) -> None:
    lines = (PROJECT / f"requirements/{name}.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if "==" in line.split(";")[0] and not line.startswith(" "):
            assert HASH.match(lines[number + 1]), f"{name}: {line} has no hash"
        else:
            assert HASH.match(line), f"{name}, line {number + 1}: {line}"


def test_what_builds_the_package_is_what_pyproject_names() -> None:
    named = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["build-system"]
    listed = (PROJECT / "requirements" / "build.in").read_text("utf-8").splitlines()
    assert [line for line in listed if not line.startswith("#")] == named["requires"]
