# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lint checks themselves: each one must find what is planted for it, and be quiet about a clean house."""

import subprocess

import circles
import prefixes
import pytest
import symbols
import walls


@pytest.fixture
def house(tmp_path):
    """Builds a small house that breaks no rule, and lets a test plant something in it."""

    def plant(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return walls.check(tmp_path)

    plant("lib/base/list.h", "#include <stddef.h>\n")
    plant("lib/model/machine.h", '#include "base/list.h"\n')
    plant("lib/config/yaml.c", "#include <yaml.h>\n")
    plant("lib/workflow/recovery.h", '#include "model/machine.h"\n')
    plant("lib/coordinator/registry.h", "")
    plant("lib/pool/pool.h", '#include "model/machine.h"\n')
    plant("daemon/api/api.h", '#include "pool/pool.h"\n#include <event2/http.h>\n')
    plant("daemon/hypervisor/hypervisor.h", "#include <libvirt/libvirt.h>\n")
    plant("daemon/main.c", '#include "api/api.h"\n#include "hypervisor/hypervisor.h"\n')
    work = "/".join(("", "work", ""))
    assert plant("README.md", f"network{work} and ..{work} are no places\n") == []
    return plant


BREACHES = {
    "an arrow backwards": ("lib/model/a.c", '#include "pool/pool.h"', "lib/model must not know lib/pool"),
    "lib knows the daemon": ("lib/pool/a.c", '#include "api/api.h"', "knows nothing outside"),
    "an unknown room": ("lib/cellar/a.c", '#include "base/list.h"', "not a known room"),
    "a room against the order": ("lib/detect/a.c", '#include "workflow/recovery.h"', "must not know lib/workflow"),
    "a private header of the coordinator":
        ("lib/report/a.c", '#include "coordinator/registry.h"', "one public header"),
    "lib and a socket": ("lib/pool/a.c", "#include <sys/socket.h>", "not among the headers"),
    "lib and libvirt": ("lib/pool/a.c", "#include <libvirt/libvirt.h>", "no business"),
    "libyaml elsewhere in config": ("lib/config/config.c", "#include <yaml.h>", "no business"),
    "libxml2 where no XML is read": ("lib/model/machine.c", "#include <libxml/parser.h>", "no business"),
    "libvirt in the API": ("daemon/api/a.c", "#include <libvirt/libvirt.h>", "no business"),
    "evhttp outside the API": ("daemon/service/a.c", "#include <event2/http.h>", "no business"),
    "systemd outside service": ("daemon/api/a.c", "# include <systemd/sd-daemon.h>", "no business"),
    "sqlite outside store": ("daemon/daemon.c", "#include <sqlite3.h>", "no business"),
    "curl in the daemon": ("daemon/api/a.c", "#include <curl/curl.h>", "no business"),
    "ctl reaches into the daemon": ("daemon/ctl/a.c", '#include "api/api.h"', "through its socket only"),
    "two files in a circle": ("lib/base/list.h", '#include "base/list.h"', "circle"),
    "a stranger at the top": ("scratch/notes.txt", "", "does not belong at the top"),
    "a path of this machine": ("conf/a.yaml", "include: " + "/".join(("", "work", "a.yaml")), "one machine"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_walls_find(house, breach):
    name, text, words = BREACHES[breach]
    found = house(name, f"/* first line */\n{text}\n")
    assert len(found) == 1 and words in found[0], found


def test_walls_find_rooms_of_the_daemon_in_a_circle(house):
    assert house("daemon/hypervisor/back.c", '#include "api/api.h"\n') == []
    found = house("daemon/api/forth.c", '#include "hypervisor/hypervisor.h"\n')
    assert len(found) == 1 and "circle" in found[0] and "daemon/api" in found[0], found


@pytest.fixture
def archive(tmp_path):
    def build(code, *flags):
        (tmp_path / "planted.c").write_text(code)
        subprocess.run(["cc", "-c", *flags, "-o", "planted.o", "planted.c"], cwd=tmp_path, check=True)
        subprocess.run(["ar", "rc", "planted.a", "planted.o"], cwd=tmp_path, check=True)
        return symbols.check(tmp_path / "planted.a")

    return build


CALLS = {
    "reads a clock": "#include <time.h>\nlong f(void) { return (long)time(NULL); }",
    "touches a file": '#include <stdio.h>\nFILE *f(void) { return fopen("a", "r"); }',
    "reads the environment": '#include <stdlib.h>\nchar *f(void) { return getenv("HOME"); }',
    "starts a thread":
        "#include <pthread.h>\nint f(pthread_t *t, void *g(void *)) { return pthread_create(t, 0, g, t); }",
    "starts or ends a process": "#include <stdlib.h>\nvoid f(void) { abort(); }",
    "opens a socket": "#include <sys/socket.h>\nint f(void) { return socket(1, 1, 0); }",
    "writes to the outside": '#include <stdio.h>\nvoid f(int a) { printf("%d", a); }',
    "is random": "#include <stdlib.h>\nint f(void) { return rand(); }",
    "calls the daemon's libraries": "int virConnectClose(void *);\nint f(void *c) { return virConnectClose(c); }",
}


@pytest.mark.parametrize("call", CALLS)
def test_symbols_find(archive, call):
    for flags in ((), ("-O2", "-D_FORTIFY_SOURCE=2", "-D_FILE_OFFSET_BITS=64")):
        found = archive(CALLS[call], *flags)
        assert len(found) == 1 and call in found[0], (flags, found)


def test_symbols_allow_writing_to_memory(archive):
    code = "#include <stdio.h>\n" \
           "void f(char **t, size_t *n) { FILE *s = open_memstream(t, n); fputs(\"\", s); fclose(s); }"
    assert archive(code) == []


@pytest.fixture
def objects(tmp_path):
    """Compiles {name: code} and checks the objects for circles."""

    def build(files):
        for name, code in files.items():
            (tmp_path / name).write_text(code)
            subprocess.run(["cc", "-c", "-o", f"{name}.o", name], cwd=tmp_path, check=True)
        return circles.check([tmp_path / f"{name}.o" for name in files])

    return build


LINE = {"a.c": "void b(void); void a(void) { b(); }", "b.c": "void c(void); void b(void) { c(); }",
        "c.c": "void c(void) {}"}
CIRCLES = {
    "two files": {"b.c": "void a(void); void b(void) { a(); }"},
    "three files": {"c.c": "void a(void); void c(void) { a(); }"},
    "a table": {"a.c": "void b(void); int table[2]; void a(void) { b(); }",
                "c.c": "extern int table[2]; int *c(void) { return table; }"},
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_circles_find(objects, circle):
    found = objects(LINE | CIRCLES[circle])
    assert len([line for line in found if "circle" in line]) == 1, found
    assert any("a.c -> " in line or line.endswith(": a") for line in found), found


def test_circles_allow_a_file_to_be_called_back(objects):
    assert objects(LINE) == []
    assert objects(LINE | {
        "a.c": "void c(void (*f)(void)); static void back(void) {} void a(void) { c(back); }",
        "c.c": "void c(void (*f)(void)) { f(); }",
    }) == []


HOUSE = {"base/text.c": "void text(void) {}",
         "coordinator/registry.c": "void text(void); void registry(void) { text(); }",
         "coordinator/standby/choose.c": "void standby(void); void choose(void) { standby(); }",
         "coordinator/standby/standby.c": "void registry(void); void standby(void) { registry(); }",
         "report/json.c": "void registry(void); void json(void) { registry(); }"}
UPWARDS = {
    "a room": {"base/text.c": "void registry(void); void text(void) { registry(); }"},
    "a component": {"coordinator/registry.c": "void standby(void); void registry(void) { standby(); }"},
    "a file without a place": {"coordinator/cellar.c": "void cellar(void) {}"},
}


def compile_house(tmp_path, files):
    for name, code in files.items():
        path = tmp_path / "lib.dir" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        subprocess.run(["cc", "-c", "-o", f"{path}.o", path], check=True)
    return prefixes.check([tmp_path / "lib.dir" / f"{name}.o" for name in files])


@pytest.mark.parametrize("call", UPWARDS)
def test_prefixes_find_a_call_upwards(tmp_path, call):
    found = compile_house(tmp_path, HOUSE | UPWARDS[call])
    assert len(found) == 1 and found[0].startswith(next(iter(UPWARDS[call]))), found


def test_prefixes_allow_calls_downwards(tmp_path):
    assert compile_house(tmp_path, HOUSE) == []
