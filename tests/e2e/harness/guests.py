# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Builds the test guests and keeps them: a boot sector that is up at once and fails on command, a real
kernel with a tiny userspace for "is it really up?", and the same with the QEMU guest agent.
"""

import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "guests"
# Debian's and Ubuntu's names for "the current kernel for virtual machines".
KERNEL_PACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual")
MODULES = ("evdev", "button", "pvpanic", "pvpanic-mmio")
# What the agent's channel, a disk and a network card need, each after what it builds on.
VIRTIO_MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
                  "virtio_console", "virtio_blk", "failover", "net_failover", "virtio_net")


class Unavailable(Exception):
    """This machine cannot provide what a test needs."""


def _run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(map(str, command))}: {done.stderr.strip()[-300:]}")
    return done.stdout


def boot_sector(cache, dies=False):
    """The 512 bytes of guests/boot.S. dies: panics as soon as it is up."""
    source = SOURCES / "boot.S"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    image = cache / f"boot-{'dying-' if dies else ''}{digest}.img"
    if not image.exists():
        with tempfile.TemporaryDirectory(dir=cache) as work:
            _run("as", "--32", "--defsym", f"DIES={int(dies)}", "-o", "boot.o", str(source), cwd=work)
            _run("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", "boot", "boot.o", cwd=work)
            os.replace(f"{work}/boot", image)
    return image


def _kernel_debs():
    """Names of the packages that hold the kernel and its modules."""
    for package in KERNEL_PACKAGES:
        try:
            found = re.findall(r"Depends: (linux-(?:image|modules)-\d\S+)", _run("apt-cache", "depends", package))
            for image in [name for name in found if name.startswith("linux-image-")]:
                depends = _run("apt-cache", "depends", image)
                found += re.findall(r"Depends: (linux-modules-\d\S+)", depends)
        except Unavailable:
            continue
        if found:
            return sorted(set(found))
    raise Unavailable(f"apt knows none of {', '.join(KERNEL_PACKAGES)}")


def _read_module(path):
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
    return path.read_bytes()


def _libraries(binary):
    """The files that the loader needs for it."""
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", _run("ldd", str(binary)))]


def _agent(root, work):
    """Puts the guest agent with its libraries into the userspace, and what makes the kernel spin."""
    _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", "qemu-guest-agent", cwd=work)
    for deb in work.glob("qemu-guest-agent_*.deb"):
        _run("dpkg", "-x", str(deb), str(work / "agent"))
    binary = next((work / "agent").rglob("qemu-ga"))
    shutil.copy(binary, root / "bin/qemu-ga")
    for library in _libraries(binary):
        (root / library.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library.relative_to("/"))
    (root / "sbin").mkdir()  # the agent sets the clock with it
    (root / "sbin/hwclock").write_text('#!/bin/busybox sh\nexec /bin/busybox hwclock "$@"\n')
    (root / "sbin/hwclock").chmod(0o755)
    _run("as", "-o", "spin.o", str(SOURCES / "spin.S"), cwd=work)
    _run("ld", "-o", str(root / "bin/spin"), "spin.o", cwd=work)


def _userspace(root, kernel_tree, modules):
    for directory in ("bin", "dev", "proc", "sys", "run", "modules"):
        (root / directory).mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    shutil.copy(SOURCES / "init", root / "init")
    (root / "init").chmod(0o755)
    order = []
    for name in modules:
        for path in kernel_tree.rglob(f"{name}.ko*"):  # one that is not there is built in
            (root / f"modules/{name}.ko").write_bytes(_read_module(path))
            order.append(f"{name}.ko\n")
    (root / "modules/order").write_text("".join(order))


def _pack(root):
    """The directory as a compressed initramfs."""
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(),
                             capture_output=True, check=True).stdout
    return gzip.compress(archive, compresslevel=1)


def linux(cache, has_agent=False):
    """(kernel, initramfs) of the Linux guest. Raises Unavailable."""
    sources = [SOURCES / "init", SOURCES / "spin.S", Path(__file__)]
    recipe = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    home = cache / f"linux-{'agent-' if has_agent else ''}{recipe}"
    if not home.exists():
        if not Path("/bin/busybox").exists():
            raise Unavailable("there is no /bin/busybox (package busybox-static)")
        with tempfile.TemporaryDirectory(dir=cache) as name:
            work = Path(name)
            # As root, apt would drop to a user that may not write here, and warn.
            _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *_kernel_debs(), cwd=work)
            for deb in work.glob("*.deb"):
                _run("dpkg", "-x", str(deb), str(work / "tree"))
            kernels = sorted((work / "tree/boot").glob("vmlinuz-*"))
            if not kernels:
                raise Unavailable("no vmlinuz in the kernel package")
            (work / "root").mkdir()
            _userspace(work / "root", work / "tree", (*MODULES, *VIRTIO_MODULES) if has_agent else MODULES)
            if has_agent:
                _agent(work / "root", work)
            (work / "home").mkdir()
            shutil.copy(kernels[-1], work / "home/vmlinuz")
            (work / "home/initramfs").write_bytes(_pack(work / "root"))
            os.replace(work / "home", home)
    return home / "vmlinuz", home / "initramfs"
