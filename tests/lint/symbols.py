#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Looks at what lib/ really calls: no clock, file, environment, thread, process, socket or log, and no
library that belongs to the daemon. Stronger than the include lines, since it sees macros too.

usage: symbols.py ARCHIVE; prints one line for each breach and returns 1 if there is any.
"""

import re
import subprocess
import sys

FORBIDDEN = {
    "reads a clock": r"time|clock|clock_gettime|gettimeofday|ftime|timespec_get|localtime(_r)?|mktime|tzset",
    "waits": r"sleep|usleep|nanosleep|clock_nanosleep|poll|ppoll|select|pselect|epoll_\w+",
    "touches a file": r"f?re?open|fopen|fdopen|open|openat|creat|read|pread|write|pwrite|close|unlink|rename|mkdir|"
                      r"opendir|stat|fstat|lstat|access|mkstemp|tmpfile|xmlReadFile|xmlReadFd|"
                      r"yaml_parser_set_input_file|json_(load|dump)_?(file|fd)",
    "reads the environment": r"(secure_)?getenv|setenv|putenv|environ|setlocale|newlocale",
    "starts a thread": r"pthread_create|thrd_create",
    "starts or ends a process": r"fork|vfork|clone|exec[lv]p?e?|posix_spawnp?|system|popen|kill|exit|_exit|_Exit|"
                                r"quick_exit|abort|signal|sigaction|raise",
    "opens a socket": r"socket|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo",
    "writes to the outside": r"syslog|vsyslog|v?printf|puts|putchar|perror|v?dprintf|v?warnx?|v?errx?|stdout|stderr",
    "is random": r"s?rand|s?random|rand_r|getrandom|getentropy|arc4random\w*",
    "calls the daemon's libraries": r"vir[A-Z]\w+|event_\w+|evhttp_\w+|evbuffer_\w+|sd_\w+|sqlite3_\w+|curl_\w+",
}

# One function under its other names: fortified, large file, C99.
DISGUISE = re.compile(r"^(?:__isoc\d+_)?_*(\w+?)(?:_chk|_2)?(?:64)?$")


def undefined_symbols(archive):
    """(member, symbol) for each symbol that a member of the archive expects from elsewhere."""
    listing = subprocess.run(["nm", "-A", "--undefined-only", archive], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        place, _, symbol = line.rpartition(" ")
        yield place.split(":")[1], symbol.partition("@")[0]


def check(archive):
    breaches = []
    for member, symbol in undefined_symbols(archive):
        plain = DISGUISE.sub(r"\1", symbol)
        for what, pattern in FORBIDDEN.items():
            if re.fullmatch(pattern, symbol) or re.fullmatch(pattern, plain):
                breaches.append(f"{member}: {what}: {symbol}")
    return breaches


if __name__ == "__main__":
    found = check(sys.argv[1])
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
