/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal's view of each kind of notice. Ids are for ever: a new meaning gets a new one. */
#include "service/messages.h"

#include <syslog.h>

static const struct message messages[NOTICE_COUNT] = {
    [NOTICE_FAILURE_DETECTED] = {LOG_ERR, "2b9b2e3a82184437ad6643f80e6b6908"},
    [NOTICE_FAILURE_UNPROTECTED] = {LOG_WARNING, "c63c7fcaff954c0385a4ee3864624b30"},
    [NOTICE_FAILURE_PENDING] = {LOG_WARNING, "62faf4dfc9cf4b29aa35bee5132c0738"},
    [NOTICE_STOP_PLANNED] = {LOG_INFO, "cf035d2d381a4eb596a9dc962734c38f"},
    [NOTICE_EVENT_NOTED] = {LOG_WARNING, "59f535ff9bb64ffdaac679055e37d126"},
    [NOTICE_DECIDED] = {LOG_NOTICE, "5333ac2a3ab744a495ef00c09c012951"},
    [NOTICE_ATTEMPT_FAILED] = {LOG_WARNING, "2fc2943dfdbe4628bc07b37d15b70d0c"},
    [NOTICE_RECOVERED] = {LOG_NOTICE, "8e1475b535c94395a8c21c273b0b6b98"},
    [NOTICE_EXHAUSTED] = {LOG_CRIT, "c7b5a32582474a4b8d6341e381f8287b"},
    [NOTICE_DISMISSED] = {LOG_NOTICE, "84e3e3420ef64f9891c3e29376e6c1b8"},
    [NOTICE_OBSERVED] = {LOG_NOTICE, "3dfdedf1a88a4640b1caf83d1f40a90b"},
    [NOTICE_HYPERVISOR_UP] = {LOG_NOTICE, "46bbec0f2eb441fea286c7e4b2e866b3"},
    [NOTICE_HYPERVISOR_DOWN] = {LOG_WARNING, "3ea347c1e6084656974e38c23011df29"},
    [NOTICE_CALL_OVERDUE] = {LOG_ERR, "0f799a49bb6e419f90669eac70fc969a"},
    [NOTICE_MACHINE_FAULT] = {LOG_WARNING, "7fae45dd81194a138215625f1bc8f4d8"},
    [NOTICE_OUT_OF_MEMORY] = {LOG_CRIT, "2173157c9c4f478fa7685b21fb85075e"},
};

const struct message *message_of(enum notice_kind kind)
{
    return &messages[kind];
}
