# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plants bugs into copies of lib/ and of ROOMS, one at a time, and demands that what each bug names finds it: a scenario, a
test of a module or of a room, or a run of the simulator. mutations.toml lists them. README.md says how to add one."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import zlib

from source import NotFound, Sources

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TESTS = ROOT / "tests"
ALLOCATION = TESTS / "unit/allocation.c"  # takes the allocator's place, and so only where a test asks for it
ROOMS = ["daemon/api", "daemon/service", "daemon/hypervisor"]  # that a test of tests/daemon links, with what it makes up behind them
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-w", f"-I{ROOT}/lib", f"-I{ROOT}/daemon", f"-I{TESTS}",
         f'-DSOURCE_DIR="{ROOT}"', '-DUNDERSTUDY_VERSION="planted"']
LIBRARIES = ["yaml-0.1", "libxml-2.0", "jansson", "libevent_core", "libevent_extra", "libevent_pthreads",
             "libsystemd", "libvirt", "libvirt-qemu", "libarchive"]
TIMEOUT = 90
# What a check of the simulator runs; a number is one seed alone.
COURSES = {"exhaustive": ["--exhaustive", "1"], "hosts": ["--hosts", "--exhaustive", "1"],
           "seeds": ["--from", "101", "--seeds", "400", "--no-shrink", "--violations", "1"]}


def package(option, *names):
    return subprocess.run(["pkg-config", option, *names], check=True, capture_output=True, text=True).stdout.split()


def files(room, pattern="*.c"):
    return sorted((ROOT / room).glob(pattern))


def wraps(sources):
    """For the linker: the functions that a test has in place of the library's."""
    names = {name for source in sources for name in re.findall(r"__wrap_(\w+)", source.read_text())}
    return [f"-Wl,--wrap={name}" for name in sorted(names)]


class Builder:
    """Objects of the sources as they are, and programs with one object exchanged."""

    def __init__(self, compiler, directory):
        self.compiler = compiler
        self.directory = directory
        self.archive = directory / "lib.a"
        self.flags = FLAGS + package("--cflags", *LIBRARIES)
        self.libraries = package("--libs", *LIBRARIES, "cmocka")
        self.library = files("lib", "**/*.c") + [file for room in ROOMS for file in files(room)] + [HERE / "no_assets.c"]
        self.support = [file for file in files("tests/unit")
                        if not file.name.startswith("test_") and file != ALLOCATION]
        self.programs = {"simulator": files("tests/simulation"), "scenario": files("tests/scenarios") + self.support}

    def sources(self, check):
        """Of the program that a check needs, without lib/."""
        name = program_of(check)
        if name in self.programs:
            return self.programs[name]
        test = TESTS / f"{check}.c"
        if check.startswith("daemon/"):
            return [test]
        return [test, *self.support, *([ALLOCATION] if '"allocation.h"' in test.read_text() else [])]

    def object_of(self, source):
        return self.directory / (str(source.relative_to(ROOT)).replace("/", "-") + ".o")

    def compile(self, source, target, *options):
        subprocess.run([self.compiler, *self.flags, *options, "-c", source, "-o", target], check=True)

    def compile_all(self, checks, pool):
        sources = {source for check in checks for source in self.sources(check)}
        list(pool.map(lambda source: self.compile(source, self.object_of(source), "-O1"),
                      sorted(sources) + self.library))
        subprocess.run(["ar", "rcs", self.archive, *map(self.object_of, self.library)], check=True)

    def link(self, check, program, planted=()):
        """Of what is in the archive too, the planted object is taken: it comes first."""
        objects = [*planted, *map(self.object_of, self.sources(check)), self.archive]
        options = [*wraps(self.sources(check)), *self.libraries]
        subprocess.run([self.compiler, *objects, *options, "-o", program], check=True)
        return program


def program_of(check):
    """A program runs all scenarios, one is the simulator, and each test of a module or a room is one of its own."""
    return check if check.startswith(("unit/", "daemon/")) else check.split("/")[0]


def command_of(check, program):
    kind, name = check.split("/")
    if kind == "scenario":
        return [program, TESTS / f"scenarios/{name}.scenario"]
    if kind == "simulator":
        return [program, *COURSES.get(name, ["--seed", name])]
    return [program]


def passes(check, program):
    """True: the check finds nothing wrong. A program that hangs is wrong."""
    try:
        done = subprocess.run(command_of(check, program), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def checks_of(mutations):
    return sorted({check for mutation in mutations for check in mutation["caught_by"]})


def edits_of(mutation):
    return [mutation, *mutation.get("also", [])]


class Planted:
    """One bug in copies of the files that it changes, compiled."""

    def __init__(self, builder, sources, mutation):
        self.builder = builder
        self.stem = builder.directory / mutation["name"].replace(" ", "-").replace("/", "-")
        self.objects, self.programs = [], {}
        for number, (file, text) in enumerate(sources.planted(edits_of(mutation)).items()):
            planted = self.stem.with_suffix(f".{number}.c")
            planted.write_text(text)
            self.objects.append(planted.with_suffix(".o"))
            builder.compile(planted, self.objects[-1], "-iquote", file.parent)

    def is_caught_by(self, check):
        name = program_of(check)
        if name not in self.programs:
            program = self.stem.with_suffix("." + name.replace("/", "-"))
            self.programs[name] = self.builder.link(check, program, self.objects)
        return not passes(check, self.programs[name])


def check_unharmed(builder, checks, pool):
    programs = {program_of(check): check for check in checks}

    def link(name):
        return builder.link(programs[name], builder.directory / f"unharmed-{name.replace('/', '-')}")
    linked = dict(zip(programs, pool.map(link, programs)))
    results = list(pool.map(lambda check: passes(check, linked[program_of(check)]), checks))
    wrong = [name for name, passed in zip(checks, results) if not passed]
    if wrong:
        sys.exit(f"fails with the sources as they are, so that it says nothing of planted bugs: {', '.join(wrong)}")


def try_mutation(builder, sources, mutation):
    """Each of those that it names must catch it. What does not, and what does."""
    planted = Planted(builder, sources, mutation)
    return [check for check in mutation["caught_by"] if not planted.is_caught_by(check)], mutation["caught_by"]


def find_checks(builder, sources, mutation, checks):
    """All that catch it, of the cheapest kind that does, and of the simulator."""
    planted = Planted(builder, sources, mutation)
    found = []
    for kind in "scenario/", "unit/", "daemon/", "simulator/":
        if kind == "simulator/" or not found:
            found += [check for check in checks if check.startswith(kind) and planted.is_caught_by(check)]
    return ([] if found else ["everything"]), found


def report(mutation, future):
    try:
        missed_by, found_by = future.result()
    except (NotFound, subprocess.CalledProcessError) as error:
        print(f"ERROR   {mutation['name']}: {error}", flush=True)
        return False
    print(f"MISSED  {mutation['name']}: passes {', '.join(missed_by)}" if missed_by else
          f"caught  {mutation['name']}: {', '.join(found_by)}", flush=True)
    return not missed_by


def choose_action(arguments, builder, sources, checks, pool):
    """What is done with each mutation."""
    if arguments.match:
        return lambda mutation: ([], [file.name for file in sources.planted(edits_of(mutation))])
    builder.compile_all(checks, pool)
    check_unharmed(builder, checks, pool)
    if arguments.find:
        return lambda mutation: find_checks(builder, sources, mutation, checks)
    return lambda mutation: try_mutation(builder, sources, mutation)


def draw(mutations, parts):
    """One part of so many, another one for each commit: in the course of the commits each bug has its turn."""
    found = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=False, capture_output=True, text=True)
    commit = found.stdout.strip()
    print(f"one part of {parts}, drawn by the commit {commit or '(none)'}", flush=True)
    return [mutation for mutation in mutations if zlib.crc32((commit + mutation["name"]).encode()) % parts == 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--find", action="store_true", help="tell which scenarios, unit tests of the mutations and "
                        "runs of the simulator catch each, instead of trying the one that it names")
    parser.add_argument("--match", action="store_true", help="only look whether each function and pattern is there")
    parser.add_argument("--parts", type=int, default=1, help="only one part of so many, drawn by the commit")
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    mutations = tomllib.loads((HERE / "mutations.toml").read_text())["mutation"]
    everything = [f"scenario/{file.stem}" for file in files("tests/scenarios", "*.scenario")] + \
        [f"simulator/{course}" for course in COURSES] + [check for check in checks_of(mutations)
                                                             if check.startswith(("unit/", "daemon/"))]
    if arguments.names:
        mutations = [mutation for mutation in mutations if mutation["name"] in arguments.names]
    if arguments.parts > 1:
        mutations = draw(mutations, arguments.parts)
    checks = everything if arguments.find else checks_of(mutations)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        builder = Builder(arguments.compiler, pathlib.Path(directory))
        action = choose_action(arguments, builder, Sources(builder.library), checks, pool)
        futures = [(mutation, pool.submit(action, mutation)) for mutation in mutations]
        caught = sum([report(mutation, future) for mutation, future in futures])
    what = "found in the sources" if arguments.match else "caught"
    print(f"{caught} of {len(mutations)} bugs {what} in {time.monotonic() - began:.0f} s")
    return 0 if caught == len(mutations) else 1


if __name__ == "__main__":
    sys.exit(main())
