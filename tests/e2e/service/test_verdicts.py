# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The verdict table of lib/detect/README.md on Debian's libvirt and QEMU, in all rows: a QEMU ends in each of the ways there are,
and the packaged daemon recovers it, or does not. With what the kernel tells of processes that end, and without.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import guests

import container as containers
import verdict_room
from conftest import RELEASES
from steps import run_tool
from verdict_room import THERE, standby_of

ROUNDS = int(os.environ.get("UNDERSTUDY_ROUNDS", "1"))
KERNEL = tuple(int(part) for part in os.uname().release.split(".")[:2])
PRELOAD = Path(__file__).resolve().parent.parent / "preload/lacks_exit_information.c"
ENDINGS = ("recovered", "exhausted", "dismissed", "observed", "failed-while-held", "called-off")
AT_ONCE = "has not said so yet"
PAUSED = "stopped: paused on request"
# libvirt sends SIGKILL so long after SIGTERM, and gives up after that with --graceful.
PATIENCE_OF_LIBVIRT_S = 10


# ---- what is to come of it ----

@dataclasses.dataclass
class Recovered:
    """The standby takes over, once, and what failed is off."""
    cause: str


@dataclasses.dataclass
class Planned:
    """It is off, and nothing is done."""
    why: str


@dataclasses.dataclass
class RunsOn:
    """Nothing stops, and nothing is done. noted: what is told of it."""
    noted: str | None = None


@dataclasses.dataclass
class Either:
    """Which of two was first decides; one verdict stands."""
    verdicts: tuple


@dataclasses.dataclass
class Row:
    name: str
    cause: Callable
    verdict: object
    on_crash: str = "destroy"
    devices: str = ""
    priority: int | None = None
    migrates: bool = False
    lies_on_a_full_disk: bool = False
    is_slow: bool = False  # libvirt waits for a process, or the cause takes its time


# ---- causes ----

def kill(number):
    return lambda room, name, _: room.kill(name, number)


def say(letter):
    return lambda room, name, _: room.serial(name).say(letter)


def order(*words):
    return lambda room, name, _: room.virsh(words[0], name, *words[1:])


def reset_by(cause):
    """The same QEMU greets again."""
    def do(room, name, turn):
        before = room.greetings(name)
        cause(room, name, turn)
        room.wait_for_greetings(name, before + 1)
    return do


def panic_three_times(room, name, turn):
    for _ in range(2):
        reset_by(say("p"))(room, name, turn)
    room.serial(name).say("p")


def fill(room, name):
    room.serial(name).say("m")
    room.serial(name).wait_for("m")


def run_out_of_memory(room, name, _):
    with room.out_of_memory(name):
        room.serial(name).say("m")
        verdict_room.wait(lambda: room.has_ended(name), "the kernel has killed it")


def suspend_and_kill(room, name, _):
    room.virsh("suspend", name)
    room.wait_until_told(name, "paused")
    room.kill(name, signal.SIGKILL)


def end_unwilling(cause):
    """Its QEMU ignores SIGTERM, and libvirt kills it."""
    def do(room, name, turn):
        room.ignore_sigterm(name)
        check_escalation(lambda: cause(room, name, turn))
    return do


def check_escalation(do):
    begun = time.monotonic()
    do()
    assert time.monotonic() - begun > PATIENCE_OF_LIBVIRT_S - 1, "libvirt did not have to kill it"


def destroy_stopped(room, name, _):
    room.kill(name, signal.SIGSTOP)
    check_escalation(lambda: room.virsh("destroy", name))


def destroy_held_by_gdb(room, name, _):
    with verdict_room.Shell(room.container) as shell, room.held_by_gdb(name) as wait_until_killed:
        def destroy():
            shell.say(f"destroy {name}")
            wait_until_killed()
        check_escalation(destroy)


def destroy_gracefully_in_vain(room, name, _):
    """libvirt 9 kills it all the same, after 25 seconds; libvirt 11 gives up after 15, and does it when it is told again."""
    room.kill(name, signal.SIGSTOP)
    check_escalation(lambda: room.virsh("destroy", name, "--graceful", may_fail=True))
    if not room.has_ended(name):
        room.virsh("destroy", name)


# Of the kill behind the order to destroy, one each round.
OFFSETS_S = (0, -0.0005, 0.0005, -0.002, 0.001, 0.002, 0.005, 0.01)


def destroy_and(number):
    """In the same millisecond, more or less."""
    def do(room, name, turn):
        offset = OFFSETS_S[turn % len(OFFSETS_S)]
        with verdict_room.Shell(room.container) as shell:
            both = [lambda: shell.say(f"destroy {name}"), lambda: room.kill(name, number)]
            first, second = both if offset >= 0 else both[::-1]
            first()
            time.sleep(abs(offset))  # not for anything: it is the cause
            second()
    return do


@contextlib.contextmanager
def stalled_save(room, name):
    """A save whose storage takes nothing any more, and in the end says that it cannot."""
    fifo = room.container.root / f"srv/{name}.fifo"
    if not fifo.exists():
        os.mkfifo(fifo)
        fifo.chmod(0o666)
    fill(room, name)
    with verdict_room.Shell(room.container) as shell:
        storage = os.open(fifo, os.O_RDWR)
        try:
            shell.say(f"save {name} /srv/{fifo.name}")
            room.wait_until_told(name, "paused")
            yield
        finally:
            os.close(storage)


def save_and_abort(room, name, _):
    """It has taken too long for the operator."""
    with stalled_save(room, name):
        room.virsh("domjobabort", name)
    room.wait_until_told(name, "running")


def save_and_kill(room, name, _):
    with stalled_save(room, name):
        room.kill(name, signal.SIGKILL)


def migration(name):
    return ["migrate", "--live", "--unsafe", name, f"qemu+tcp://{THERE}/system", "--migrateuri", f"tcp://{THERE}"]


def migrate(room, name, _):
    room.virsh(*migration(name))
    assert room.state(name, room.other) == "running"


@contextlib.contextmanager
def migrating(room, name):
    """In the middle of it."""
    fill(room, name)
    with verdict_room.Shell(room.container) as shell:
        shell.say(" ".join([*migration(name), "--bandwidth", "1"]))
        verdict_room.wait(lambda: name in room.virsh("list", "--name", "--state-paused", place=room.other), f"{name} arrives")
        yield


def kill_migrating(room, name, _):
    with migrating(room, name):
        room.kill(name, signal.SIGKILL)


def abort_migration(room, name, _):
    with migrating(room, name):
        room.virsh("domjobabort", name)


def write_to_full_disk(room, name, _):
    room.serial(name).say("d")


def watchdog(action):
    return f"<watchdog model='ib700' action='{action}'/>"


DIED = Recovered("process-died")
DESTROYED = Planned("destroyed on request")
OFF = Planned("shut down from inside or on request")
SAVED = Planned("saved on request")
LEFT = Planned("migrated away")

# The first stays warm, and so the kernel is listened to at once (endings). The second is what that is good for.
KEEPER = Row("keeper", None, None, priority=20)
KEPT = Row("sigkill-warm", kill(signal.SIGKILL), DIED, priority=10)
WITNESS = Row("witness", kill(signal.SIGKILL), DIED)
ROWS = [
    KEPT,
    Row("sigkill", kill(signal.SIGKILL), DIED),
    Row("sigsegv", kill(signal.SIGSEGV), DIED),
    Row("sigabrt", kill(signal.SIGABRT), DIED),
    Row("sigterm", kill(signal.SIGTERM), Recovered("host-kill")),
    Row("out-of-memory", run_out_of_memory, DIED),
    Row("panic-destroy", say("p"), Recovered("guest-panicked")),
    Row("panic-coredump", say("p"), Recovered("guest-panicked"), on_crash="coredump-destroy"),
    Row("panic-preserve", say("p"), Recovered("panic-preserved"), on_crash="preserve"),
    Row("panic-restart", reset_by(say("p")), RunsOn("the guest panicked and libvirt restarts it"), on_crash="restart"),
    Row("panic-loop", panic_three_times, Recovered("panic-loop"), on_crash="restart"),
    Row("kdump", say("k"), RunsOn("is writing its own dump (kdump)")),
    Row("guest-reset", reset_by(say("r")), RunsOn()),
    Row("reset", reset_by(order("reset")), RunsOn()),
    Row("reboot", reset_by(order("reboot")), RunsOn()),
    Row("watchdog-pause", say("w"), Recovered("watchdog"), devices=watchdog("pause"), is_slow=True),
    Row("watchdog-poweroff", say("w"), Recovered("watchdog"), devices=watchdog("poweroff"), is_slow=True),
    Row("watchdog-reset", reset_by(say("w")), RunsOn("its watchdog fired"), devices=watchdog("reset"), is_slow=True),
    Row("io-error", write_to_full_disk, Recovered("io-error"), lies_on_a_full_disk=True),
    Row("guest-poweroff", say("o"), OFF),
    Row("shutdown", order("shutdown"), OFF),
    Row("destroy", order("destroy"), DESTROYED),
    Row("destroy-graceful", order("destroy", "--graceful"), DESTROYED),
    Row("managedsave", order("managedsave"), SAVED),
    Row("save", lambda room, name, _: room.virsh("save", name, f"/srv/{name}.save"), SAVED),
    Row("suspend-kill", suspend_and_kill, DIED),
    Row("save-aborted", save_and_abort, RunsOn()),
    Row("save-killed", save_and_kill, DIED),
    Row("destroy-and-sigkill", destroy_and(signal.SIGKILL), Either((DIED, DESTROYED))),
    Row("destroy-and-sigsegv", destroy_and(signal.SIGSEGV), Either((DIED, DESTROYED))),
    Row("destroy-and-sigterm", destroy_and(signal.SIGTERM), Either((Recovered("host-kill"), DESTROYED))),
    Row("migrate", migrate, LEFT, migrates=True),
    Row("migrate-killed", kill_migrating, DIED, migrates=True),
    Row("migrate-aborted", abort_migration, RunsOn(), migrates=True),
    Row("migrate-unwilling", end_unwilling(migrate), LEFT, migrates=True, is_slow=True),
    Row("destroy-stopped", destroy_stopped, DESTROYED, is_slow=True),
    Row("destroy-gdb", destroy_held_by_gdb, DESTROYED, is_slow=True),
    Row("destroy-unwilling", end_unwilling(order("destroy")), DESTROYED, is_slow=True),
    Row("destroy-graceful-in-vain", destroy_gracefully_in_vain, DESTROYED, is_slow=True),
    Row("managedsave-unwilling", end_unwilling(order("managedsave")), SAVED, is_slow=True),
]


# ---- how it is seen ----

class Round:
    """What is told of the rows from now on."""

    def __init__(self, room, turn):
        self.room = room
        self.turn = turn
        self._begun = len(room.telling.since(0))
        self._boots = {row.name: room.serial(row.name).boots for row in ROWS}

    def told(self, name, *kinds):
        """But for pauses, which are planned stops as well."""
        return [notice for notice in self.room.telling.since(self._begun)
                if notice["machine"] == name and notice["kind"] in kinds and PAUSED not in (notice["text"] or "")]

    def wait_for(self, name, *kinds):
        return verdict_room.wait(lambda: self.told(name, *kinds), f"{kinds} of {name} is told")[0]

    def run(self, row):
        row.cause(self.room, row.name, self.turn)
        return self.check(row, row.verdict)

    def check(self, row, verdict):
        """Returns the text of what was told."""
        room, name = self.room, row.name
        if isinstance(verdict, Recovered):
            why = self.wait_for(name, "failure-detected", "stop-planned")
            assert why["kind"] == "failure-detected", why["text"]
            ending = self.wait_for(name, *ENDINGS)
            record = room.api.get(f"/v1/recoveries/{ending['recovery']}")
            attempts = [(attempt["name"], attempt["error"]) for attempt in record["attempts"]]
            assert (record["outcome"], record["cause"], attempts) == (
                "recovered", verdict.cause, [(standby_of(name), None)]), record
            assert room.has_ended(name) and room.state(standby_of(name)) == "running"
            return why["text"]
        if isinstance(verdict, Planned):
            why = self.wait_for(name, "failure-detected", "stop-planned")
            assert (why["kind"], verdict.why in why["text"]) == ("stop-planned", True), why["text"]
            assert room.has_ended(name) and room.state(name) == "shut off"
            return why["text"]
        if isinstance(verdict, RunsOn):
            return self.wait_for(name, "event-noted")["text"] if verdict.noted else ""
        why = self.wait_for(name, "failure-detected", "stop-planned")
        is_planned = why["kind"] == "stop-planned"
        [right] = [each for each in verdict.verdicts if isinstance(each, Planned) == is_planned]
        return self.check(row, right)

    def check_nothing_came_later(self, row):
        """After the witness, whose end came after all the others, was recovered: of each end one verdict was told."""
        failures, stops, noted = (self.told(row.name, kind) for kind in ("failure-detected", "stop-planned", "event-noted"))
        if isinstance(row.verdict, RunsOn):
            assert (failures, stops) == ([], []) and self.room.state(row.name) == "running"
            assert row.verdict.noted is None or any(row.verdict.noted in each["text"] for each in noted)
        else:
            assert len(failures) + len(stops) == 1, [each["text"] for each in failures + stops]
        assert len(self.told(row.name, *ENDINGS)) == len(failures)
        assert self.room.serial(row.name).boots == self._boots[row.name]
        assert self.told(row.name, "both-run") == self.told(standby_of(row.name), "both-run", "failure-detected") == []


class Outcomes:
    """Of each row, round by round: what was told, or what was wrong."""

    def __init__(self, room, knows_ends):
        """knows_ends: the kernel tells how processes have ended."""
        self._room = room
        self.knows_ends = knows_ends
        self.of = {row.name: [] for row in ROWS}
        self.notes = []  # what was told of processes

    def run(self, turn):
        room = self._room
        prepared = self._each([*ROWS, WITNESS, KEEPER], room.begin_again, 4)
        room.wait_until_kept(KEEPER.name, KEPT.name)
        round_ = Round(room, turn)
        results = self._each([KEPT], round_.run, 1)
        # Those that wait for libvirt wait together, while the others go on.
        results |= self._each(sorted((row for row in ROWS if row is not KEPT), key=lambda row: not row.is_slow), round_.run,
                              4 + sum(row.is_slow for row in ROWS))
        results |= self._each([WITNESS], round_.run, 1)
        later = self._each(ROWS, round_.check_nothing_came_later, 1)
        self.notes += [notice["text"] for row in ROWS for notice in round_.told(row.name, "event-noted")]
        for row in ROWS:
            wrong = [each[row.name] for each in (prepared, results, later) if isinstance(each[row.name], Exception)]
            self.of[row.name].append(wrong[0] if wrong else results[row.name])

    @staticmethod
    def _each(rows, do, side_by_side):
        """What each gave or raised, by name."""
        def attempt(row):
            try:
                return do(row)
            except Exception as error:  # noqa: BLE001 (told by the test of the row)
                return error
        with concurrent.futures.ThreadPoolExecutor(side_by_side) as threads:
            return dict(zip([row.name for row in rows], threads.map(attempt, rows)))

    def table(self):
        """For a person: of each row how often it was right, and what was told."""
        lines = []
        for name, results in self.of.items():
            wrong = [each for each in results if isinstance(each, Exception)]
            lines.append(f"{name}: {len(results) - len(wrong)} / {len(results)}\n")
            lines += [f"    {times} x {text}\n" for text, times in collections.Counter(map(str, results)).most_common()]
        return "".join(lines)


# ---- the tests ----

@pytest.fixture(scope="module")
def preload():
    with tempfile.TemporaryDirectory(prefix="us-") as directory:
        library = Path(directory) / "lacks_exit_information.so"
        run_tool("cc", "-shared", "-fPIC", "-o", library, PRELOAD, cwd=directory)
        yield library


@pytest.fixture(scope="module")
def room(tree_of_release, package, cache):
    """Two containers, in one of them the daemon and all machines, which run."""
    home = Path(tempfile.mkdtemp(prefix="us-"))
    try:
        try:
            image = guests.boot_sector(cache)
        except guests.Unavailable as unavailable:
            pytest.skip(str(unavailable))
        for part in ("here", "there"):
            (home / part).mkdir()
        with containers.Container(tree_of_release, home / "here") as here, \
                containers.Container(tree_of_release, home / "there") as there:
            room = verdict_room.VerdictRoom(here, there, image)
            try:
                rows = [*ROWS, KEEPER, WITNESS]
                room.furnish(rows)
                room.boot()
                room.define(rows)
                room.install(package)
                yield room
            finally:
                room.close()
                print(here.journal("-u", "understudyd", "--lines=1000"))
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module", params=[True, False], ids=["exit-information", "without"])
def outcomes(request, room, package, preload):
    """What came of all rows."""
    if request.param and KERNEL < (6, 15):
        pytest.skip("exit information of a pidfd needs Linux 6.15")
    room.restart(None if request.param else preload)
    outcomes = Outcomes(room, request.param)
    for turn in range(ROUNDS):
        outcomes.run(turn)
        if "UNDERSTUDY_VERDICTS" in os.environ:
            path = Path(os.environ["UNDERSTUDY_VERDICTS"]) / f"{room.release}-{'with' if request.param else 'without'}"
            path.write_text(outcomes.table())
    return outcomes


@pytest.mark.parametrize("row", [row.name for row in ROWS])
def test_verdict(outcomes, row):
    wrong = [each for each in outcomes.of[row] if isinstance(each, Exception)]
    for each in wrong:
        if isinstance(each, containers.Unavailable):
            pytest.skip(str(each))
    print("\n".join("".join(traceback.format_exception(each)) for each in wrong))
    assert wrong == []


def test_how_a_qemu_ended_is_known_where_the_kernel_tells_it(outcomes):
    """And acted on, where it is certain, before libvirt has noticed."""
    signals = [note for note in outcomes.notes if "its QEMU died of signal" in note]
    acted_on = [result for results in outcomes.of.values() for result in results if AT_ONCE in str(result)]
    assert (bool(signals), bool(acted_on)) == (outcomes.knows_ends, outcomes.knows_ends)


def test_nothing_is_started_before_what_it_replaces_has_ended(outcomes, room):
    assert {row.name for row in ROWS if isinstance(row.verdict, Recovered)} <= set(room.looked_at)
    assert room.early == []
