# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plants bugs into copies of lib/, one at a time, and demands that the simulator (or the unit test that
the bug names) finds each of them. mutations.toml lists them; a text that is not found exactly once is an error."""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O1", "-w", f"-I{ROOT}/lib"]
LIBRARIES = ["yaml-0.1", "libxml-2.0", "jansson"]
# What each bug gets; together they are far from the suite's own seeds, and enough.
COURSES = [["--exhaustive", "1"], ["--hosts", "--exhaustive", "1"],
           ["--from", "101", "--seeds", "400", "--no-shrink", "--violations", "1"]]
COURSE_TIMEOUT = 90


def package(option, *names):
    return subprocess.run(["pkg-config", option, *names], check=True, capture_output=True, text=True).stdout.split()


class Builder:
    """Objects of the unharmed sources, and programs with one object exchanged."""

    def __init__(self, compiler, directory):
        self.compiler = compiler
        self.directory = directory
        self.flags = FLAGS + package("--cflags", *LIBRARIES)
        self.library = sorted(ROOT.glob("lib/**/*.c"))
        self.simulator = sorted((ROOT / "tests/simulation").glob("*.c"))
        unit = ROOT / "tests/unit"
        self.support = [p for p in sorted(unit.glob("*.c")) if not p.name.startswith("test_")]

    def object_of(self, source):
        return self.directory / (str(source.relative_to(ROOT)).replace("/", "-") + ".o")

    def compile(self, source, target, origin=None):
        includes = ["-iquote", (origin or source).parent]
        subprocess.run([self.compiler, *self.flags, *includes, f'-DSOURCE_DIR="{ROOT}"', "-c", source, "-o", target],
                       check=True)

    def compile_all(self, sources, pool):
        list(pool.map(lambda source: self.compile(source, self.object_of(source)), sources))

    def link(self, sources, program, exchanged=None):
        objects = [exchanged[1] if exchanged and source == exchanged[0] else self.object_of(source)
                   for source in sources]
        extra = package("--libs", *LIBRARIES, "cmocka")
        subprocess.run([self.compiler, *objects, *extra, "-o", program], check=True)

    def test_sources(self, name):
        return [ROOT / f"tests/unit/{name}.c", *self.support, *self.library]


def run(command):
    """True: it found nothing wrong."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=COURSE_TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def plant(mutation, directory):
    source = ROOT / mutation["file"]
    text = source.read_text()
    if text.count(mutation["text"]) != 1:
        raise ValueError(f"its text stands {text.count(mutation['text'])} times in {mutation['file']}")
    planted = directory / (mutation["name"].replace(" ", "-").replace("/", "-") + ".c")
    planted.write_text(text.replace(mutation["text"], mutation["replacement"]))
    return source, planted


def try_mutation(builder, mutation):
    """Who found it, or None."""
    source, planted = plant(mutation, builder.directory)
    exchanged = (source, planted.with_suffix(".o"))
    program = planted.with_suffix("")
    builder.compile(planted, exchanged[1], origin=source)
    if "unit" in mutation:
        builder.link(builder.test_sources(mutation["unit"]), program, exchanged)
        return None if run([program]) else mutation["unit"]
    builder.link(builder.simulator + builder.library, program, exchanged)
    for course in COURSES:
        if not run([program, *course]):
            return "simulate " + " ".join(course[:2])
    return None


def check_unharmed(builder, mutations):
    program = builder.directory / "unharmed"
    builder.link(builder.simulator + builder.library, program)
    if not all(run([program, *course]) for course in COURSES):
        sys.exit("the simulator finds something in the sources as they are: nothing can be said of planted bugs")
    for name in sorted({mutation["unit"] for mutation in mutations if "unit" in mutation}):
        builder.link(builder.test_sources(name), program)
        if not run([program]):
            sys.exit(f"{name} fails with the sources as they are")


def report(mutation, future):
    try:
        found_by = future.result()
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"ERROR   {mutation['name']}: {error}")
        return False
    print(f"caught  {mutation['name']}: {found_by}" if found_by else f"MISSED  {mutation['name']}", flush=True)
    return found_by is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    mutations = tomllib.loads((HERE / "mutations.toml").read_text())["mutation"]
    if arguments.names:
        mutations = [mutation for mutation in mutations if mutation["name"] in arguments.names]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        builder = Builder(arguments.compiler, pathlib.Path(directory))
        tests = {ROOT / f"tests/unit/{mutation['unit']}.c" for mutation in mutations if "unit" in mutation}
        builder.compile_all(builder.library + builder.simulator + builder.support + sorted(tests), pool)
        check_unharmed(builder, mutations)
        futures = [(mutation, pool.submit(try_mutation, builder, mutation)) for mutation in mutations]
        caught = sum([report(mutation, future) for mutation, future in futures])
    print(f"{caught} of {len(mutations)} planted bugs caught in {time.monotonic() - began:.0f} s")
    return 0 if caught == len(mutations) else 1


if __name__ == "__main__":
    sys.exit(main())
