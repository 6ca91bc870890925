# SPDX-License-Identifier: LGPL-2.1-or-later
"""manual.sh finds what is planted: in a small project whose pages tell of everything there is."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = {
    "bin/understudyctl": "#!/bin/sh\necho '  status      how it is'\necho '  -j, --json   for programs'\n",
    "bin/understudyd": "#!/bin/sh\necho '      --check   checks'\n",
    "daemon/service/log.c": 'add_field(fields, "UNDERSTUDY_UUID=%s", x);\n',
    "daemon/programs.c": '    v[n++] = (struct hook_variable){"CAUSE", x};\n    [NOTICE_STARTED] = "post-start",\n',
    "lib/protocol/notice.c": '    [NOTICE_HOST_LOST] = "host-lost",\n',
    "lib/config/schema.c": '    {.path = "pool.ignore",\n',
}
PAGES = {"understudyctl.1": "status \\-\\-json host\\-lost", "understudyd.8": "\\-\\-check UNDERSTUDY_UUID",
         "understudy.yaml.5": "pool.ignore", "understudy-hooks.7": "UNDERSTUDY_CAUSE post\\-start"}


def see_also(own):
    others = [page.rpartition(".") for page in PAGES if page != own]
    return ".SH SEE ALSO\n" + ", ".join(f"\\fB{name}\\fR({section})" for name, _, section in others) + "\n"


@pytest.fixture
def check(tmp_path):
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name, text in PAGES.items():
        page, _, section = name.rpartition(".")
        (tmp_path / name).write_text(f'.TH "{page.upper()}" "{section}" "2026-01-01"\n.SH NAME\n{page} \\- a page\n'
                                     f".SH DESCRIPTION\n{text}\n{see_also(name)}")

    def run(name=None, old="", new=""):
        if name is not None:
            text = (tmp_path / name).read_text()
            assert old in text
            (tmp_path / name).write_text(text.replace(old, new))
        done = subprocess.run(["sh", Path(__file__).with_name("manual.sh"), tmp_path, tmp_path / "bin", tmp_path],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    return run


def test_a_whole_one_passes(check):
    assert check() == (0, "")


@pytest.mark.parametrize("name, old, new, told", [
    ("bin/understudyctl", "status ", "stasis ", "understudyctl.1: stasis is missing"),
    ("bin/understudyctl", "--json", "--yaml", "understudyctl.1: --yaml is missing"),
    ("bin/understudyd", "--check", "--cheque", "understudyd.8: --cheque is missing"),
    ("daemon/service/log.c", "_UUID", "_CAUSE", "understudyd.8: UNDERSTUDY_CAUSE is missing"),
    ("lib/config/schema.c", "pool.ignore", "pool.love", "understudy.yaml.5: pool.love is missing"),
    ("lib/protocol/notice.c", "host-lost", "host-back", "understudyctl.1: host-back is missing"),
    ("daemon/programs.c", "CAUSE", "EFFECT", "understudy-hooks.7: UNDERSTUDY_EFFECT is missing"),
    ("daemon/programs.c", "post-start", "post-end", "understudy-hooks.7: post-end is missing"),
    ("lib/config/schema.c", ".path", ".trail", "understudy.yaml.5: nothing to look for"),
    ("understudyd.8", "understudyctl", "virsh", "understudyd.8: SEE ALSO lacks understudyctl(1)"),
    ("understudyd.8", ".SH DESCRIPTION", ".SH DESCRIPTION\n.XX", "mandoc"),
])
def test_finds(check, name, old, new, told):
    status, said = check(name, old, new)
    assert status == 1 and told in said, said
