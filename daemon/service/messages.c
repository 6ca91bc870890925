/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal's view of each kind of message; what each means to people is in its catalog. Ids are for ever: a new
 * meaning gets a new one. */
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
    [NOTICE_INTENT_FAILED] = {LOG_ALERT, "08579b5e2f5c4c76adae4332583a538a"},
    [NOTICE_STARTED] = {LOG_NOTICE, "7c18a5aeb27e4de7b48ec5138fa17fb9"},
    [NOTICE_BRAKE_ON] = {LOG_ALERT, "1a93fe2d5dd24b9cba3235cb35b4fff7"},
    [NOTICE_BRAKE_OFF] = {LOG_NOTICE, "916b23e965024df4a122688765998e4a"},
    [NOTICE_RESUMED] = {LOG_NOTICE, "d5121efe46584020ac138cefd5606e02"},
    [NOTICE_CLOCK_JUMPED] = {LOG_WARNING, "48132e47906c41d8888074792c8ec48a"},
    [NOTICE_STORE_FAILED] = {LOG_ALERT, "d23d27cb1c5747e78a40423ff4aa2a96"},
    [NOTICE_STORE_WORKS] = {LOG_NOTICE, "a56a15466a68419680a6a232fb5068d0"},
};

static const struct message event_messages[MESSAGE_COUNT] = {
    [MESSAGE_READY] = {LOG_INFO, "c5a517849c8448c19a609238dcc60167"},
    [MESSAGE_NOT_STARTED] = {LOG_ERR, "8218f311baff403da41877299274701d"},
    [MESSAGE_STOPPING] = {LOG_NOTICE, "b02eefbe26b3411c83a77a8694b1538f"},
    [MESSAGE_RELOADED] = {LOG_NOTICE, "fe9134e010e34fab8a575a21f1b9aee5"},
    [MESSAGE_RELOAD_FAILED] = {LOG_ERR, "5621526f8ffe4096b24843f8aba06dd2"},
    [MESSAGE_NEEDS_RESTART] = {LOG_WARNING, "6b970a3cf8ad4e279315fecdfa963af9"},
    [MESSAGE_HOST_SHUTDOWN] = {LOG_NOTICE, "8f7a12deea14466cb7b6025536a1aaa4"},
    [MESSAGE_DRILL] = {LOG_NOTICE, "9a1801eec3ee4f2cb54e133c8504bf19"},
    [MESSAGE_HOOK_FAILED] = {LOG_ERR, "2ad6ad5ca0444ca7a3d8f89d11ecf454"},
    [MESSAGE_CALL_HANGS] = {LOG_ERR, "9e04222523684de29739a2286e65a29a"},
};

const struct message *message_of(enum notice_kind kind)
{
    return &messages[kind];
}

const struct message *message_of_event(enum event_message message)
{
    return &event_messages[message];
}
