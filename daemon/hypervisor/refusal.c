/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences are printed into the result, and cut between two characters. */
#include "hypervisor/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "hypervisor/translate.h"

static void put(struct action_result *result, const char *sentence)
{
    size_t room = sizeof(result->message) - 1;

    snprintf(result->message, sizeof(result->message), "%.*s", (int)text_fit(sentence, room), sentence);
}

int refusal_say(struct action_result *result, int error, const char *format, ...)
{
    _cleanup_(freep) char *sentence = NULL;
    va_list arguments;

    va_start(arguments, format);
    sentence = text_vprint(format, arguments);
    va_end(arguments);
    put(result, sentence != NULL ? sentence : "no memory");
    return result->error = error;
}

int refusal_quote(struct action_result *result, virConnectPtr connection, const char *format, ...)
{
    char words[sizeof(result->message)];
    int error = translate_last_error(connection, words, sizeof(words));
    _cleanup_(freep) char *doing = NULL;
    va_list arguments;

    va_start(arguments, format);
    doing = text_vprint(format, arguments);
    va_end(arguments);
    return refusal_say(result, error, "%s%s%s", doing != NULL ? doing : "", doing != NULL ? ": " : "", words);
}
