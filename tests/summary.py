#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Adds up what the steps of tests/run.sh left: JUnit files, and `failed-steps` with a name a line.

usage: summary.py DIRECTORY; lists what failed and what was skipped and why, and closes with the
numbers. Returns 1 if anything failed or nothing ran, and with CI=true also if anything was skipped.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcome_of(case):
    """(outcome, reason) of one <testcase>, as pytest or ctest wrote it."""
    skipped = case.find("skipped")
    if skipped is None:
        failed = case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail"
        return ("failed" if failed else "passed"), ""
    reason = skipped.get("message", "")
    if case.get("status") is None:  # pytest
        return "skipped", reason
    # ctest calls skipped what it could not even run; and of what skipped itself it only knows the exit status:
    # the reason is what that printed last.
    if not reason.startswith("SKIP_"):
        return "failed", ""
    return "skipped", ((case.findtext("system-out") or "").strip().splitlines() or [reason])[-1]


def read_results(directory):
    """(step/name, outcome, reason) for each test."""
    for path in sorted(directory.glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            yield f"{path.stem}/{case.get('name')}", *outcome_of(case)
    steps = directory / "failed-steps"
    for step in steps.read_text().splitlines() if steps.exists() else ():
        yield step, "failed", ""


def main(directory):
    results = {"passed": {}, "failed": {}, "skipped": {}}
    for name, outcome, reason in read_results(directory):
        results[outcome].setdefault(reason, []).append(name)
    count = {outcome: sum(map(len, names.values())) for outcome, names in results.items()}
    for names in results["failed"].values():
        print("failed:", *names, sep="\n  ")
    for reason, names in results["skipped"].items():
        print(f"skipped: {reason}", *names, sep="\n  ")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    bad = count["failed"] > 0 or count["passed"] == 0
    return 1 if bad or (os.environ.get("CI") == "true" and count["skipped"] > 0) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
