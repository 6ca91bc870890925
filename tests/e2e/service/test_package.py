# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed where, and the package over its life: upgrade, removal and purge."""

import shutil
import subprocess

import pytest

from steps import SOURCE, run_tool


@pytest.mark.parametrize("daemon_runs", [True, False])
def test_an_upgrade_keeps_what_the_administrator_has_set(room, daemon_runs):
    config = room.run("cat /etc/understudy/understudy.yaml")
    before = room.run("systemctl show -P MainPID understudyd")
    if not daemon_runs:
        room.run("systemctl stop understudyd")
    room.run("dpkg-deb -R /srv/understudy.deb /srv/next && sed -i 's/^Version: .*/&+1/' /srv/next/DEBIAN/control && "
             "dpkg-deb -b /srv/next /srv/next.deb && dpkg -i --force-confdef /srv/next.deb", 120)
    assert room.run("cat /etc/understudy/understudy.yaml") == config
    assert room.run("systemctl is-enabled understudyd") == "enabled\n"
    if daemon_runs:
        room.wait_until("systemctl is-active understudyd")
        assert room.run("systemctl show -P MainPID understudyd") != before
    else:
        assert room.try_run("systemctl is-active understudyd").stdout == "inactive\n"


def test_removal_keeps_configuration_and_history_and_purge_leaves_nothing(room):
    room.run("apt-get -q remove -y understudy", 120)
    assert room.try_run("systemctl is-active understudyd understudyd.socket understudyd-ro.socket").stdout.split() == ["inactive"] * 3
    room.run("test -e /etc/understudy/understudy.yaml && test -e /var/lib/understudy/understudy.db")
    room.run("apt-get -q purge -y understudy", 120)
    left = room.run("find / -xdev -path /proc -prune -o -path /sys -prune -o -path /srv -prune -o -path /var/lib/dpkg "
                    "-prune -o -path /var/log -prune -o -iname '*understudy*' -print")
    assert left == ""


def test_a_failed_start_fails_no_upgrade(room):
    """As on a host whose configuration an older version took, and this one does not."""
    room.write("etc/understudy/understudy.yaml", "nonsense: 1\n")
    room.run("dpkg -i --force-confdef /srv/understudy.deb", 120)
    assert room.try_run("systemctl is-failed understudyd").stdout == "failed\n"  # and not tried again
    assert room.run("dpkg-query -W -f '${db:Status-Status}' understudy") == "installed"


def test_it_is_installed_where_it_is_told(tmp_path):
    """DESTDIR and the directories of GNUInstallDirs; what is installed names them."""
    build = tmp_path / "build"
    run_tool("cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DBUILD_TESTING=OFF",
             "-DCMAKE_INSTALL_PREFIX=/opt/us", "-DCMAKE_INSTALL_SYSCONFDIR=/etc/opt",
             "-DCMAKE_INSTALL_SBINDIR=libexec", cwd=tmp_path)
    run_tool("ninja", "-C", build, cwd=build)
    run_tool("cmake", "--install", build, cwd=build, DESTDIR=str(tmp_path / "stage"))
    stage = tmp_path / "stage"
    assert sorted(each.name for each in stage.iterdir()) == ["etc", "opt"]
    for path in ("etc/opt/understudy/understudy.yaml", "opt/us/bin/understudyctl",
                 "opt/us/share/man/man8/understudyd.8", "opt/us/lib/systemd/system/understudyd.socket",
                 "opt/us/lib/systemd/system/understudyd-ro.socket", "opt/us/lib/sysusers.d/understudy.conf",
                 "opt/us/lib/tmpfiles.d/understudy.conf"):
        assert (stage / path).is_file(), path
    unit = (stage / "opt/us/lib/systemd/system/understudyd.service").read_text()
    assert "\nExecStart=/opt/us/libexec/understudyd\n" in unit and "=/opt/us/bin/understudyctl reload\n" in unit
    assert "(default: /etc/opt/understudy/understudy.yaml)" in run_tool(stage / "opt/us/libexec/understudyd", "--help",
                                                                        cwd=stage)


def test_news_are_shipped_where_apt_listchanges_looks_for_them(package, tmp_path):
    run_tool("dpkg-deb", "-x", package, tmp_path, cwd=tmp_path)
    packed = tmp_path / "usr/share/doc/understudy/NEWS.Debian.gz"
    news = subprocess.run(["zcat", packed], check=True, capture_output=True, text=True).stdout
    assert news == (SOURCE / "systemd/package/NEWS").read_text() and "pool.protect and pool.standby are empty" in news
    parsed = run_tool("dpkg-parsechangelog", "--all", "-l", SOURCE / "systemd/package/NEWS", cwd=tmp_path)
    assert parsed.startswith("Source: understudy\n")


def test_rpm_has_everything_that_deb_has(release_build, package):
    if shutil.which("rpmbuild") is None:
        pytest.skip("there is no rpmbuild here")
    run_tool("cpack", "-G", "RPM", cwd=release_build)
    [rpm] = release_build.glob("*.rpm")
    files = set(run_tool("rpm", "-qlp", rpm, cwd=release_build).split())
    listed = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout
    names = subprocess.run(["tar", "t"], input=listed, check=True, capture_output=True).stdout.decode().split()
    of_deb = {name.lstrip(".") for name in names if not name.endswith("/")}
    assert of_deb <= files
    assert run_tool("rpm", "-qcp", rpm, cwd=release_build) == "/etc/understudy/understudy.yaml\n"
    scripts = run_tool("rpm", "-qp", "--scripts", rpm, cwd=release_build)
    for each in ("systemd-sysusers understudy.conf", "systemd-tmpfiles --create understudy.conf", "start understudyd.service",
                 "disable --now"):
        assert each in scripts
