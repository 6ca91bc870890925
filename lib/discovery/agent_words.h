/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The language of QEMU's guest agent (docs/interop/qemu-ga-ref): commands as it wants them, and what is read from its
 * answers. An answer comes from the guest, and nothing in it is believed to have the right type or size.
 */
#ifndef UNDERSTUDY_DISCOVERY_AGENT_WORDS_H
#define UNDERSTUDY_DISCOVERY_AGENT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Each returns a command that the caller frees, or NULL: no memory. */
char *agent_command(const char *name) _must_check_;
char *agent_command_exec(const char *const *arguments) _must_check_; /* the path first; ends with NULL */
char *agent_command_exec_status(int64_t pid) _must_check_;
char *agent_command_open(const char *path) _must_check_;
char *agent_command_read(int64_t handle, int64_t count) _must_check_;
char *agent_command_close(int64_t handle) _must_check_;

/* What stands behind "return", which the caller frees; NULL: the answer is none, or an error. */
json_t *agent_read_answer(const char *answer) _must_check_;

/* A member of an object that is a text; NULL: there is none. */
const char *agent_text(const json_t *object, const char *name);

/* Whether guest-info says that the agent has the command, and that it may be used. */
bool agent_knows(const json_t *info, const char *command);

/* A text that grows up to a limit. */
struct agent_text {
    char *text;
    size_t length;
};
void agent_text_done(struct agent_text *text);

/* Adds what stands there in base64. -EINVAL: it is none, -EFBIG: more than limit bytes in all, -ENOMEM. */
int agent_text_add(struct agent_text *text, const char *base64, size_t limit) _must_check_;

#endif
