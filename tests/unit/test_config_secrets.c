/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a configuration file never holds a password, however badly it was written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config.h"

#define SECRET "hunter2"
#define RACK   "hypervisors:\n  - name: rack1\n    uri: qemu:///system\n"
#define LOCAL  "hypervisors: [{name: local, uri: \"qemu:///system\"}]\n"

/* Every one of these is refused. */
static const char *const refused[] = {
    /* The space is missing. */
    RACK "    fence:\n      password:" SECRET "\n",
    RACK "    fence: password:" SECRET "\n",
    RACK "    fence: \"password: " SECRET "\"\n",
    RACK "    fence: |\n      password: " SECRET "\n",
    RACK "    fence: {password:" SECRET "}\n",
    RACK "    fence:\n      plug: 1\n      password:" SECRET "\n",
    RACK "    fence:\n      password:" SECRET "\n      plug: 1\n",
    RACK "    fence_agents: {" SECRET ": 1}\n",
    RACK "    fence_agents: {" SECRET ": {plug: 1}}\n",
    RACK "    fence_agents: {ipmi: {password:" SECRET "}}\n",
    RACK "    fence_agents: {ipmi: {" SECRET ": [1]}}\n",
    RACK "    fence_agents: {ipmi: password=" SECRET "}\n",
    RACK "    fence_agents: password=" SECRET "\n",
    LOCAL "fence: {agents: {ipmi: {options: {password:" SECRET "}}}}\n",
    LOCAL "fence: {agents: {ipmi: password=" SECRET "}}\n",
    LOCAL "fence: {agents: {ipmi: {password=" SECRET ": }}}\n",
    LOCAL "fence: {agents: {password=" SECRET ": }}\n",
    LOCAL "fence: {agents: password=" SECRET "}\n",
    LOCAL "fence:\n  options:\n    password:" SECRET "\n",
    LOCAL "fence:\n  options: " SECRET "\n",
    LOCAL "fence:\n  password:" SECRET "\n",
    LOCAL "fence: password=" SECRET "\n",
    /* The name holds it. */
    RACK "    fence: {password=" SECRET ": }\n",
    RACK "    fence: {password=" SECRET "}\n",
    RACK "    fence: {password=" SECRET ": [1]}\n",
    RACK "    fence: {" SECRET ": [1]}\n",
    RACK "    fence: {" SECRET ": {plug: 1}}\n",
    RACK "    fence: {" SECRET ": 1, " SECRET ": 2}\n",
    RACK "    fence: {? \"pass word " SECRET "\" : 1, ? \"pass word " SECRET "\" : 2}\n",
    RACK "    password=" SECRET ": \n",
    RACK "    password=" SECRET ": \n    password=" SECRET ": \n",
    LOCAL "fence:\n  password=" SECRET ": \n",
    LOCAL "fence: {password=" SECRET "}\n",
    LOCAL "fence: {options: {password=" SECRET ": }}\n",
    LOCAL "password=" SECRET ": \n",
    /* A list, or within one. */
    RACK "    fence: [password=" SECRET "]\n",
    RACK "    fence: {password: [" SECRET "]}\n",
    RACK "    fence: {password: {" SECRET ": }}\n",
    RACK "    fence: {password: \"" SECRET "\\n\"}\n",
    RACK "  - password:" SECRET "\n",
    /* YAML's own signs. */
    RACK "    fence: {password: *" SECRET "}\n",
    RACK "    fence: {password: *" SECRET "@!}\n",
    RACK "    fence: {password: !" SECRET "}\n",
    RACK "    fence: {password: !" SECRET " x}\n",
    RACK "    fence: {password: !" SECRET "!x y}\n",
    RACK "    fence: {password: !<" SECRET "> x}\n",
    RACK "    fence: {password: !!" SECRET " x}\n",
    RACK "    fence: {password: !" SECRET " [x]}\n",
    RACK "    fence: !" SECRET " {plug: 1}\n",
    RACK "    fence: &" SECRET " {plug: *" SECRET "}\n",
    RACK "    fence: {password: &" SECRET "}\n",
    RACK "    fence: {password: &" SECRET "? x}\n",
    RACK "    fence: {password: @" SECRET "}\n",
    RACK "    fence: {password: `" SECRET "}\n",
    RACK "    fence: {password: %" SECRET "}\n",
    RACK "    fence: {password: \"" SECRET "}\n",
    RACK "    fence: {password: \"" SECRET "\\q\"}\n",
    RACK "    fence: {password: '" SECRET "' x}\n",
    RACK "    fence: {password: " SECRET ": x: y}\n",
    RACK "    fence:\n      password: " SECRET ": x\n",
    RACK "    fence:\n      password: |" SECRET "\n",
    RACK "    fence:\n      password: >" SECRET "\n",
    RACK "    fence:\n\tpassword: " SECRET "\n",
    RACK "    fence: {<<: " SECRET "}\n",
    "%" SECRET "\n" LOCAL,
    /* Taken for a part of the value above it. */
    "hypervisors:\n  - name: rack1\n      password:" SECRET "\n    uri: qemu:///system\n",
    "hypervisors:\n  - name: rack1\n    uri: qemu:///system\n      password:" SECRET "\n",
    LOCAL "fence:\n  action: off\n    password:" SECRET "\n",
    LOCAL "fence:\n  timeout: 30s\n    password:" SECRET "\n",
    LOCAL "fence:\n  command: agent\n    password:" SECRET "\n",
    /* The whole file. */
    "password:" SECRET "\n",
    "\"" SECRET "\"\n",
};

static void assert_no_secret(const char *text, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(diag_format(&diags->items[i], &line), 0);
        if (strstr(line, SECRET) != NULL)
            fail_msg("of\n%sit is told: %s", text, line);
        if (diags->items[i].line == 0 || diags->items[i].column == 0)
            fail_msg("of\n%sit is not told where: %s", text, line);
    }
}

static void secrets_are_not_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(refused); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(config_freep) struct config *config = NULL;
        int r = config_parse(refused[i], strlen(refused[i]), "bad.yaml", &diags, &config);

        if (r != -EINVAL || diags.count == 0)
            fail_msg("not refused, but %d:\n%s", r, refused[i]);
        assert_no_secret(refused[i], &diags);
    }
}

/* Still told: names that are names. */
static void names_are_told(void **state)
{
    static const char text[] = LOCAL "fence: {confrim: yes, timeout: 1s, timeout: 2s}\n";
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;

    (void)state;
    assert_int_equal(config_parse(text, strlen(text), "bad.yaml", &diags, &config), -EINVAL);
    assert_int_equal(diags.count, 2);
    assert_string_equal(diags.items[0].message, "unknown key 'confrim' in 'fence'; did you mean 'confirm'?");
    assert_string_equal(diags.items[1].message, "duplicate key 'timeout' in 'fence', first given in line 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_not_repeated),
        cmocka_unit_test(names_are_told),
    };

    return cmocka_run_group_tests_name("config secrets", tests, NULL, NULL);
}
