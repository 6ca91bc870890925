/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a file to a configuration, or to every error in it. For each bad data/config/NAME.yaml the
 * findings are in NAME.errors, as diag_format() writes them.
 */
#include "config/config.h"
#include "config/fence.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "base/text.h"
#include "config/policy.h"
#include "config/schema.h"
#include "config/yaml.h"
#include "support.h"

#define DATA   SOURCE_DIR "/tests/unit/data/config/"
#define SAMPLE SOURCE_DIR "/conf/understudy.yaml"
#define LOCAL  "hypervisors: [{name: local, uri: \"qemu:///system\"}]\n"

static char *read_whole(const char *path, size_t *ret_length)
{
    _cleanup_(fclosep) FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t length;

    if (f == NULL)
        fail_msg("cannot open %s", path);
    length = getdelim(&text, &size, EOF, f);
    assert_true(length >= 0);
    *ret_length = (size_t)length;
    return text;
}

/* All findings, a line each. */
static char *format_findings(const struct diags *diags)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    for (size_t i = 0; i < diags->count; i++) {
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(diag_format(&diags->items[i], &line), 0);
        fprintf(f, "%s\n", line);
    }
    fclose(f);
    return text;
}

static struct config *parse_good(const char *text, size_t length)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    int r = config_parse(text, length, "good.yaml", &diags, &config);
    _cleanup_(freep) char *findings = format_findings(&diags);

    assert_string_equal(findings, "");
    assert_int_equal(r, 0);
    return config;
}

static struct config *parse_text(const char *text)
{
    return parse_good(text, strlen(text));
}

/* One of the findings says so. */
static void assert_refused(const char *text, const char *message)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    int r = config_parse(text, strlen(text), "bad.yaml", &diags, &config);
    _cleanup_(freep) char *findings = format_findings(&diags);

    assert_int_equal(r, -EINVAL);
    assert_null(config);
    if (strstr(findings, message) == NULL)
        fail_msg("\"%s\" is not in: %s", message, findings);
}

static struct config *parse_file(const char *path)
{
    size_t length;
    _cleanup_(freep) char *text = read_whole(path, &length);

    return parse_good(text, length);
}

static void assert_findings(const char *text, size_t length, const char *file, const char *expected)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    int r = config_parse(text, length, file, &diags, &config);
    _cleanup_(freep) char *findings = format_findings(&diags);

    assert_string_equal(findings, expected);
    assert_int_equal(r, -EINVAL);
    assert_null(config);
}

static void bad_files_are_explained(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob(DATA "*.errors", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 20);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t length, ignored;
        _cleanup_(freep) char *expected = read_whole(found.gl_pathv[i], &ignored);
        _cleanup_(freep) char *path = NULL, *text = NULL;

        assert_true(asprintf(&path, "%.*syaml", (int)strlen(found.gl_pathv[i]) - 6, found.gl_pathv[i]) > 0);
        text = read_whole(path, &length);
        assert_findings(text, length, strrchr(path, '/') + 1, expected);
    }
    globfree(&found);
}

/* What no text file could hold without harm to editors. */
static void bad_bytes_are_explained(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *findings;
    } cases[] = {
        {"", 0,
         "f:1:1: error: 'hypervisors' is missing, expected a list of hypervisors such as [{name: local, uri: "
         "\"qemu:///system\"}]\n"},
        {"mode: \xff", 7, "f:1:7: error: invalid leading UTF-8 octet (byte 0xff)\n"},
        {"# \xc3\xa4\nmode: \xc3", 12, "f:2:7: error: incomplete UTF-8 octet sequence (byte 0x"},
        {"a\nmode: \0 b", 11, "f:2:7: error: control characters are not allowed (byte 0x00)\n"},
        {"mode: \x1b[0m", 10, "f:1:7: error: control characters are not allowed (byte 0x1b)\n"},
        {"mode: \"a\\0b\"", 12, "f:1:7: error: text holds a NUL character\n"},
        {"mode: \"\\e[31m\"", 14, "f:1:7: error: mode: found the quoted text '?[31m', expected automatic or observe\n"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        struct config *config = NULL;
        _cleanup_(freep) char *findings = NULL;

        assert_int_equal(config_parse(cases[i].text, cases[i].length, "f", &diags, &config), -EINVAL);
        assert_null(config);
        findings = format_findings(&diags);
        assert_non_null(strstr(findings, cases[i].findings));
    }
}

static void findings_without_a_file_name(void **state)
{
    (void)state;
    assert_findings("- a\n", 4, NULL, "error: found a list, expected a map of keys\n");
}

static void assert_patterns(const struct string_list *list, const char *only)
{
    assert_int_equal(list->count, only != NULL);
    if (only != NULL)
        assert_string_equal(list->items[0], only);
}

static void assert_weight(const struct config_weight *weight, const char *kind, const char *value, uint32_t millionths)
{
    assert_string_equal(weight->kind, kind);
    if (value == NULL)
        assert_null(weight->value);
    else
        assert_string_equal(weight->value, value);
    assert_int_equal(weight->millionths, millionths);
}

static void defaults_of_similarity(const struct config_similarity *similarity)
{
    static const struct {
        const char *kind;
        uint32_t millionths;
    } weights[] = {
        {"os", 20000},          {"os-family", 20000}, {"language", 300000},  {"database", 200000},
        {"webserver", 100000},  {"proxy", 100000},    {"appserver", 200000}, {"broker", 200000},
        {"cache", 100000},      {"search", 200000},   {"storage", 200000},   {"dns", 100000},
        {"dhcp", 100000},       {"mail", 200000},     {"directory", 200000}, {"monitoring", 100000},
        {"containers", 100000}, {"ci", 100000},       {"vpn", 100000},       {"software", 50000},
        {"data", 200000},       {"other", 50000},
    };
    uint32_t system = 0;

    assert_int_equal(similarity->threshold, 500000);
    assert_int_equal(similarity->min_coverage, 500000);
    assert_int_equal(similarity->must_cover.count, 0);
    assert_int_equal(similarity->rank_by, RANK_BY_OVERLAP);
    for (size_t i = 0; i < ENVIRONMENT_COUNT; i++)
        assert_int_equal(similarity->environment_weights[i], 50000);
    assert_int_equal(similarity->n_resource_weights, ELEMENTS_OF(weights));
    for (size_t i = 0; i < ELEMENTS_OF(weights); i++)
        assert_weight(&similarity->resource_weights[i], weights[i].kind, NULL, weights[i].millionths);
    /* The system alone never replaces what runs on it: it is less than half of what is needed. */
    for (size_t i = 0; i < ELEMENTS_OF(weights); i++)
        system += strncmp(weights[i].kind, "os", 2) == 0 ? weights[i].millionths : 0;
    for (size_t i = 0; i < ELEMENTS_OF(weights); i++)
        assert_true(strncmp(weights[i].kind, "os", 2) == 0 || weights[i].millionths > system);
}

static void defaults(void **state)
{
    _cleanup_(config_freep) struct config *config = NULL;

    (void)state;
    assert_int_equal(config_new(&config), 0);
    assert_null(config->file);
    assert_int_equal(config->mode, MODE_AUTOMATIC);
    assert_string_equal(config->state_dir, "/var/lib/understudy");
    assert_null(config->metrics_textfile);
    assert_string_equal(config->api_socket, "/run/understudy/api.sock");
    assert_null(config->api_listen);
    assert_int_equal(config->n_hypervisors, 0);
    assert_patterns(&config->pool.protect, NULL);
    assert_patterns(&config->pool.standby, NULL);
    assert_patterns(&config->pool.ignore, NULL);
    assert_patterns(&config->storage.shared, NULL);
    assert_int_equal(config->n_machines, 0);
    defaults_of_similarity(&config->similarity);
    assert_int_equal(config->failure.io_error_grace_us, 30 * USEC_PER_SEC);
    assert_int_equal(config->failure.watchdog_grace_us, 10 * USEC_PER_SEC);
    assert_int_equal(config->failure.reboot_grace_us, 60 * USEC_PER_SEC);
    assert_int_equal(config->failure.panic_limit, 3);
    assert_int_equal(config->failure.reboot_limit, 0);
    assert_int_equal(config->failure.panic_window_us, 600 * USEC_PER_SEC);
    assert_true(config->failure.host_kill_is_failure);
    assert_int_equal(config->recovery.call_timeout_us, 10 * USEC_PER_SEC);
    assert_int_equal(config->recovery.start_timeout_us, 60 * USEC_PER_SEC);
    assert_int_equal(config->recovery.order, ORDER_REPLACEMENT);
    assert_int_equal(config->recovery.shutdown_timeout_us, 60 * USEC_PER_SEC);
    assert_int_equal(config->recovery.settle_us, 2 * USEC_PER_SEC);
    assert_int_equal(config->recovery.attempts, 3);
    assert_int_equal(config->recovery.history_days, 400);
    assert_int_equal(config->discovery.resync_interval_us, 600 * USEC_PER_SEC);
    assert_int_equal(config->discovery.reconnect_max_us, 10 * USEC_PER_SEC);
    assert_int_equal(config->host_timeout_us, 30 * USEC_PER_SEC);
    assert_int_equal(config->isolation_share, 500000);
    assert_int_equal(config->when_both_run, BOTH_RUN_ALERT);
    assert_null(config->fence.command);
    assert_int_equal(config->fence.action, FENCE_OFF);
    assert_true(config->fence.is_confirmed);
    assert_false(config->fence.is_by_hand);
    assert_int_equal(config->fence.timeout_us, 60 * USEC_PER_SEC);
    assert_int_equal(config->fence.retry_us, 30 * USEC_PER_SEC);
    assert_int_equal(config->fence.options.count, 0);
}

static void assert_fact(const struct config_fact *fact, const char *kind, const char *value)
{
    assert_string_equal(fact->kind, kind);
    if (value == NULL)
        assert_null(fact->value);
    else
        assert_string_equal(fact->value, value);
}

static void lists_and_maps_of_full(const struct config *config)
{
    const struct config_similarity *similarity = &config->similarity;

    assert_int_equal(config->n_hypervisors, 2);
    assert_string_equal(config->hypervisors[0].name, "rack-1");
    assert_string_equal(config->hypervisors[0].uri, "qemu+tls://rack1.example.org/system");
    assert_string_equal(config->hypervisors[1].name, "test.2");
    assert_string_equal(config->hypervisors[1].uri, "test:///default");
    assert_int_equal(config->pool.protect.count, 2);
    assert_string_equal(config->pool.protect.items[1], "rack-1/db-?");
    assert_patterns(&config->pool.standby, "spare-*");
    assert_patterns(&config->pool.ignore, "*-template");
    assert_patterns(&config->storage.shared, "/srv/shared");
    assert_int_equal(config->n_machines, 2);
    assert_string_equal(config->machines[0].name, "VM-001");
    assert_int_equal(config->machines[0].n_facts, 4);
    assert_fact(&config->machines[0].facts[0], "os", "ubuntu-20.04");
    assert_fact(&config->machines[0].facts[1], "language", "3.10");
    assert_fact(&config->machines[0].facts[2], "database", "mysql");
    assert_fact(&config->machines[0].facts[3], "database", "no");
    assert_string_equal(config->machines[1].name, "rack-1/VM-002");
    assert_int_equal(config->machines[1].n_facts, 1);
    assert_fact(&config->machines[1].facts[0], "webserver", NULL);
    assert_int_equal(similarity->must_cover.count, 2);
    assert_string_equal(similarity->must_cover.items[0], "os");
    assert_string_equal(similarity->must_cover.items[1], "memory");
    assert_int_equal(similarity->n_resource_weights, 3);
    assert_weight(&similarity->resource_weights[0], "language", NULL, 300000);
    assert_weight(&similarity->resource_weights[1], "database", "oracle", 1000000000);
    assert_weight(&similarity->resource_weights[2], "data", NULL, 1);
}

static void assert_option(const struct config_option *option, const char *name, const char *value)
{
    assert_string_equal(option->name, name);
    assert_string_equal(option->value, value);
}

static void hosts_of_full(const struct config *config)
{
    assert_int_equal(config->hypervisors[0].fence.count, 2);
    assert_option(&config->hypervisors[0].fence.items[0], "plug", "node-1");
    assert_option(&config->hypervisors[0].fence.items[1], "power_wait", "5");
    assert_int_equal(config->hypervisors[1].fence.count, 0);
    assert_int_equal(config->host_timeout_us, 45 * USEC_PER_SEC);
    assert_int_equal(config->isolation_share, 1000000);
    assert_int_equal(config->when_both_run, BOTH_RUN_STOP_ORIGINAL);
    assert_string_equal(config->fence.command, "/usr/sbin/fence_ipmilan");
    assert_int_equal(config->fence.action, FENCE_REBOOT);
    assert_false(config->fence.is_confirmed);
    assert_true(config->fence.is_by_hand);
    assert_int_equal(config->fence.timeout_us, 120 * USEC_PER_SEC);
    assert_int_equal(config->fence.retry_us, 60 * USEC_PER_SEC);
    assert_int_equal(config->fence.options.count, 2);
    assert_option(&config->fence.options.items[1], "username", "no");
}

static void agents_of_full(const struct config *config)
{
    static const struct {
        const char *name, *command;
        size_t level;
    } expected[] = {
        {"ipmi", "/usr/sbin/fence_ipmilan", 0},
        {"pdu-a", "/usr/sbin/fence_apc", 1},
        {"pdu-b", "/usr/sbin/fence_apc", 1},
    };
    size_t index;

    assert_int_equal(fence_agent_count(&config->fence), ELEMENTS_OF(expected));
    assert_int_equal(fence_turn_count(&config->fence), ELEMENTS_OF(expected));
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        struct fence_turn turn = fence_turn_at(&config->fence, i);

        assert_int_equal(turn.level, expected[i].level);
        assert_string_equal(fence_agent_at(&config->fence, turn.agent).name, expected[i].name);
        assert_string_equal(fence_agent_at(&config->fence, turn.agent).command, expected[i].command);
    }
    assert_int_equal(fence_agent_find(&config->fence, "pdu-b", &index), 0);
    assert_option(&fence_agent_at(&config->fence, index).options->items[0], "ip", "192.0.2.21");
    assert_int_equal(fence_agent_find(&config->fence, "pdu-c", &index), -ENOENT);
    assert_option(&fence_host_options(&config->hypervisors[0], "pdu-b")->items[0], "plug", "3");
    assert_null(fence_host_options(&config->hypervisors[0], "pdu-a"));
    assert_null(fence_host_options(&config->hypervisors[1], "pdu-b"));
    /* Each of them hangs in off, status and on. */
    assert_true(fence_time_us(&config->fence) >= 3 * 3 * config->fence.timeout_us);
}

/* The short form: one level of one agent, which is called as its file. */
static void a_fence_command_alone_is_one_level(void **state)
{
    _cleanup_(config_freep) struct config *config = parse_text(LOCAL "fence: {command: /usr/sbin/fence_ipmilan}\n");
    _cleanup_(config_freep) struct config *none = parse_text(LOCAL);
    struct fence_turn turn = fence_turn_at(&config->fence, 0);

    (void)state;
    assert_int_equal(fence_turn_count(&config->fence), 1);
    assert_int_equal(turn.level, 0);
    assert_int_equal(fence_agent_count(&config->fence), 1);
    assert_string_equal(fence_agent_at(&config->fence, turn.agent).name, "fence_ipmilan");
    assert_string_equal(fence_agent_at(&config->fence, turn.agent).command, "/usr/sbin/fence_ipmilan");
    assert_int_equal(fence_agent_at(&config->fence, turn.agent).options->count, 0);
    assert_int_equal(fence_agent_count(&none->fence), 0);
    assert_int_equal(fence_turn_count(&none->fence), 0);
}

static void services_of_full(const struct config *config)
{
    const struct config_service *db = &config->services[0], *web = &config->services[1];

    assert_int_equal(config->n_services, 2);
    assert_patterns(&db->match, "db-*");
    assert_int_equal(db->priority, -5);
    assert_int_equal(db->threshold, 800000);
    assert_int_equal(db->min_coverage, 900000);
    assert_patterns(&db->must_cover, "data");
    assert_int_equal(db->order, ORDER_ORIGINAL);
    assert_int_equal(db->verify.level, VERIFY_COMMAND);
    assert_int_equal(db->verify.port, 5432);
    assert_string_equal(db->verify.command, "/srv/verify-db");
    assert_int_equal(db->verify.timeout_us, 30 * USEC_PER_SEC);
    assert_int_equal(db->verify.interval_us, 2 * USEC_PER_SEC);
    assert_patterns(&db->after, "storage");
    assert_true(db->apart);
    assert_patterns(&db->hosts, "rack-*");
    assert_int_equal(db->hook_env.count, 2);
    assert_option(&db->hook_env.items[0], "VIP", "192.0.2.10");
    assert_option(&db->hook_env.items[1], "POOL_2", "a b");
    assert_int_equal(db->given, (1u << POLICY_KEYS) - 1);
    assert_patterns(&web->match, "rack-1/web-*");
    assert_int_equal(web->given, 1);
    assert_true(db->line > 0 && web->line > db->line);
}

static void everything_set(void **state)
{
    _cleanup_(config_freep) struct config *config = parse_file(DATA "full.yaml");

    (void)state;
    lists_and_maps_of_full(config);
    hosts_of_full(config);
    agents_of_full(config);
    services_of_full(config);
    assert_string_equal(config->file, "good.yaml");
    assert_int_equal(config->mode, MODE_OBSERVE);
    assert_string_equal(config->state_dir, "/srv/understudy");
    assert_string_equal(config->metrics_textfile, "/srv/understudy.prom");
    assert_string_equal(config->api_socket, "/run/other.sock");
    assert_string_equal(config->api_listen, "[::]:8420");
    assert_true(config->api_listen_public);
    assert_string_equal(config->api_names.items[0], "kvm1.example.com");
    assert_int_equal(config->similarity.threshold, 333333);
    assert_int_equal(config->similarity.min_coverage, 0);
    assert_int_equal(config->similarity.rank_by, RANK_BY_SIMILARITY);
    assert_int_equal(config->similarity.environment_weights[ENVIRONMENT_CPU], 0);
    assert_int_equal(config->similarity.environment_weights[ENVIRONMENT_MEMORY], 1250000);
    assert_int_equal(config->similarity.environment_weights[ENVIRONMENT_DISK], 0);
    assert_int_equal(config->failure.io_error_grace_us, 500 * USEC_PER_MSEC);
    assert_int_equal(config->failure.watchdog_grace_us, 0);
    assert_int_equal(config->failure.reboot_grace_us, 0);
    assert_int_equal(config->failure.panic_limit, 5);
    assert_int_equal(config->failure.reboot_limit, 7);
    assert_int_equal(config->failure.panic_window_us, 86400 * USEC_PER_SEC);
    assert_false(config->failure.host_kill_is_failure);
    assert_int_equal(config->recovery.call_timeout_us, 2 * USEC_PER_SEC);
    assert_int_equal(config->recovery.start_timeout_us, 300 * USEC_PER_SEC);
    assert_int_equal(config->recovery.order, ORDER_ORIGINAL);
    assert_int_equal(config->recovery.shutdown_timeout_us, 90 * USEC_PER_SEC);
    assert_int_equal(config->recovery.settle_us, 3 * USEC_PER_SEC);
    assert_int_equal(config->recovery.attempts, 7);
    assert_int_equal(config->recovery.history_days, 1000);
    assert_int_equal(config->recovery.keep_made_us, 90 * 24 * 3600 * USEC_PER_SEC);
    assert_int_equal(config->standby.warm, 3);
    assert_int_equal(config->standby.memory_limit_bytes, INT64_C(1536) << 20);
    assert_int_equal(config->standby.warmth, KEEP_SAVED);
    assert_int_equal(config->standby.boot_timeout_us, 90 * USEC_PER_SEC);
    assert_int_equal(config->standby.refresh_us, 12 * 3600 * USEC_PER_SEC);
    assert_int_equal(config->standby.made_max, 2);
    assert_int_equal(config->discovery.software, SOFTWARE_FILES);
    assert_string_equal(config->discovery.catalog, "/srv/catalog.d");
    assert_string_equal(config->pool.templates, "/srv/templates.d");
    assert_string_equal(config->hypervisors[0].templates, "/srv/rack-1.d");
    assert_null(config->hypervisors[1].templates);
    assert_int_equal(config->discovery.resync_interval_us, 3600 * USEC_PER_SEC);
    assert_int_equal(config->discovery.reconnect_max_us, 1500 * USEC_PER_MSEC);
}

/* The table as a whole: full.yaml gives each key another value than its default. */
static void every_key_is_read_and_compared(void **state)
{
    _cleanup_(config_freep) struct config *full = parse_file(DATA "full.yaml");
    _cleanup_(config_freep) struct config *same = parse_file(DATA "full.yaml");
    _cleanup_(config_freep) struct config *plain = NULL;
    const struct schema_key *changed = NULL;

    (void)state;
    assert_int_equal(config_new(&plain), 0);
    for (size_t i = 0; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);

        if (key->type == SCHEMA_SECTION || strstr(key->path, "[]") != NULL)
            continue;
        changed = config_next_change(plain, full, changed);
        assert_non_null(changed);
        assert_string_equal(changed->path, key->path);
    }
    assert_null(config_next_change(plain, full, changed));
    assert_null(config_next_change(full, same, NULL));
}

static void restarts_are_for_few_keys(void **state)
{
    static const char *const expected[] = {"state_dir", "api.socket", "api.listen", "api.listen_public", "api.names"};
    _cleanup_(config_freep) struct config *full = parse_file(DATA "full.yaml");
    _cleanup_(config_freep) struct config *plain = parse_text(LOCAL);
    const struct schema_key *key = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        key = config_next_restart(plain, full, key);
        assert_non_null(key);
        assert_string_equal(key->path, expected[i]);
    }
    assert_null(config_next_restart(plain, full, key));
}

static char *write_sample(size_t *ret_size)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, ret_size);

    assert_non_null(f);
    assert_int_equal(config_write_sample(f), 0);
    fclose(f);
    return text;
}

/* When the schema changes on purpose: understudyd --sample-config > conf/understudy.yaml */
static void sample_is_what_the_schema_writes(void **state)
{
    size_t length, size;
    _cleanup_(freep) char *file = read_whole(SAMPLE, &length), *written = write_sample(&size);

    (void)state;
    assert_string_equal(file, written);
}

/* The file must differ from the defaults in just these keys, in this order. */
static void assert_only_differs_in(const struct config *config, const char *const *paths, size_t n_paths)
{
    _cleanup_(config_freep) struct config *plain = NULL;
    const struct schema_key *key = NULL;

    assert_int_equal(config->n_hypervisors, 1);
    assert_string_equal(config->hypervisors[0].name, "local");
    assert_string_equal(config->hypervisors[0].uri, "qemu:///system");
    assert_int_equal(config_new(&plain), 0);
    for (size_t i = 0; i < n_paths; i++) {
        key = config_next_change(plain, config, key);
        assert_non_null(key);
        assert_string_equal(key->path, paths[i]);
    }
    assert_null(config_next_change(plain, config, key));
}

/* A new installation names no machine yet, so it must start and end none. */
static void sample_protects_nothing_and_sets_nothing_but_defaults(void **state)
{
    static const char *const paths[] = {"hypervisors"};
    _cleanup_(config_freep) struct config *config = parse_file(SAMPLE);

    (void)state;
    assert_int_equal(config->mode, MODE_AUTOMATIC);
    assert_int_equal(config->pool.protect.count, 0);
    assert_int_equal(config->pool.standby.count, 0);
    assert_only_differs_in(config, paths, ELEMENTS_OF(paths));
}

/* Every key that the sample shows behind a '#' is written so that taking the '#' away is enough. */
static void sample_uncommented_sets_nothing_but_defaults(void **state)
{
    /* Of the machines, of services and of several fence agents, an example is shown. */
    static const char *const paths[] = {"hypervisors", "machines", "services", "fence.agents", "fence.levels"};
    size_t size;
    _cleanup_(freep) char *text = write_sample(&size);
    _cleanup_(config_freep) struct config *config = NULL;
    size_t n_keys = 0, length = 0;
    bool is_start = true;

    (void)state;
    for (size_t i = 0; i < size; i++) {
        bool is_hash = is_start && text[i] == '#';
        /* One blank makes a comment, none a key, two a line of an example. */
        bool is_key = is_hash && text[i + 1] != ' ' && text[i + 1] != '\n';
        bool is_example = is_hash && strncmp(&text[i + 1], "  ", 2) == 0;

        is_start = text[i] == '\n' || (is_start && text[i] == ' ');
        n_keys += is_key;
        if (!is_key && !is_example)
            text[length++] = text[i];
    }
    config = parse_good(text, length);
    assert_true(n_keys > 20);
    assert_only_differs_in(config, paths, ELEMENTS_OF(paths));
}

static void threshold_is_the_default_of_coverage(void **state)
{
    _cleanup_(config_freep) struct config *one = parse_text(LOCAL "similarity: {threshold: 0.7}\n");
    _cleanup_(config_freep) struct config *both = parse_text(LOCAL "similarity: {min_coverage: 0.1, threshold: 0.7}\n");

    (void)state;
    assert_int_equal(one->similarity.threshold, 700000);
    assert_int_equal(one->similarity.min_coverage, 700000);
    assert_int_equal(both->similarity.min_coverage, 100000);
}

/* ---- services ---- */

static struct config policy_for(const struct config *config, const char *hypervisor, const char *name)
{
    struct policy_sources sources = policy_find_sources(config, hypervisor, name);

    return policy_apply(config, &sources);
}

static void the_first_entry_that_gives_a_key_counts_for_that_key(void **state)
{
    _cleanup_(config_freep) struct config *config =
        parse_text(LOCAL "similarity: {threshold: 0.5, min_coverage: 0.4}\n"
                         "recovery: {verify: {level: agent, port: 1}}\n"
                         "services:\n"
                         "  - {match: [db-1], threshold: 0.9, apart: false}\n"
                         "  - {match: [\"db-*\"], threshold: 0.7, priority: 3, apart: yes, verify: {port: 5432}}\n"
                         "  - {match: [\"local/*\"], priority: 1, verify: {level: tcp, port: 80}, hosts: [\"l*\"]}\n");
    const struct config one = policy_for(config, "local", "db-1"), two = policy_for(config, "local", "db-2");
    const struct config three = policy_for(config, "elsewhere", "db-3"), none = policy_for(config, "elsewhere", "x");

    (void)state;
    assert_int_equal(one.similarity.threshold, 900000);
    assert_int_equal(one.policy.apart, 0); /* the first one says no */
    assert_int_equal(one.policy.priority, 3);
    assert_int_equal(two.similarity.threshold, 700000);
    assert_int_equal(two.similarity.min_coverage, 400000);
    assert_int_equal(two.policy.apart, 2);
    assert_int_equal(two.recovery.verify.level, VERIFY_TCP);
    assert_int_equal(two.recovery.verify.port, 5432);
    assert_patterns(&two.policy.hosts, "l*");
    assert_int_equal(three.recovery.verify.level, VERIFY_AGENT);
    assert_int_equal(three.policy.hosts.count, 0);
    assert_memory_equal(&none.similarity, &config->similarity, sizeof(none.similarity));
    assert_int_equal(none.policy.priority, 0);
}

/* Its default is the threshold, whichever holds; what is written holds for all. */
static void min_coverage_follows_the_threshold_of_the_service(void **state)
{
    static const char services[] = "services: [{match: [a], threshold: 0.8}, {match: [b], min_coverage: 0.2}]\n";
    _cleanup_(freep) char *given = text_print(LOCAL "similarity: {min_coverage: 0.6}\n%s", services);
    _cleanup_(freep) char *left_out = text_print(LOCAL "%s", services);
    _cleanup_(config_freep) struct config *with = parse_text(given), *without = parse_text(left_out);

    (void)state;
    assert_int_equal(policy_for(without, "local", "a").similarity.min_coverage, 800000);
    assert_int_equal(policy_for(without, "local", "b").similarity.min_coverage, 200000);
    assert_int_equal(policy_for(without, "local", "c").similarity.min_coverage, 500000);
    assert_int_equal(policy_for(with, "local", "a").similarity.min_coverage, 600000);
}

static void a_policy_in_words(void **state)
{
    _cleanup_(config_freep) struct config *config = parse_text(
        LOCAL "services:\n"
              "  - {match: [db], threshold: 0.75, must_cover: [data, memory], verify: {timeout: 90s}}\n"
              "  - {match: [\"*\"], threshold: 0.1, order: original, apart: true, after: [a, b], priority: -2,\n"
              "     hook_env: {VIP: 192.0.2.1, TOKEN: secret}}\n");
    struct policy_sources sources = policy_find_sources(config, "local", "db"), nothing = {{0}};
    _cleanup_(freep) char *text = NULL, *none = NULL;

    (void)state;
    assert_int_equal(policy_describe(config, &sources, &text), 0);
    assert_string_equal(text, "threshold 0.75, must_cover [data, memory], verify.timeout 90s (services[0], line 3); "
                              "priority -2, order original, after [a, b], apart true, hook_env {VIP, TOKEN} "
                              "(services[1], line 4)");
    assert_int_equal(policy_describe(config, &nothing, &none), 0);
    assert_null(none);
}

static void services_that_wait_for_each_other_are_an_error(void **state)
{
    static const char *const good[] = {
        "services: [{match: [\"*\"], after: [\"*\"]}]\n", /* of the same entry: not waited for */
        "services: [{match: [\"web-*\"], after: [\"db-*\"]}, {match: [\"db-*\"], after: [\"san-*\"]}]\n",
        "services: [{match: [\"web-*\"], after: [\"db-*\"]}, {match: [\"*\"], priority: 1}]\n",
        "services: [{match: [\"a/x\"], after: [\"b/y\"]}, {match: [\"b/z\"], after: [\"a/*\"]}]\n",
    };
    static const char *const bad[] = {
        "services: [{match: [web], after: [db]}, {match: [db], after: [web]}]\n",
        "services: [{match: [\"web-*\"], after: [\"d?-1\"]}, {match: [\"db-*\"], after: [\"*-2\"]}]\n",
        "services: [{match: [a], after: [b]}, {match: [b], after: [c]}, {match: [\"[c-e]\"], after: [local/a]}]\n",
        "services: [{match: [a], after: [\"*\"]}, {match: [\"*\"], after: [a]}]\n",
        /* What a bracket may hold besides characters is taken to match anything. */
        "services: [{match: [\"db[[:digit:]]\"], after: [web]}, {match: [web], after: [db1]}]\n",
        "services: [{match: [\"[\\\\]a]1\"], after: [web]}, {match: [web], after: [a1]}]\n",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(good); i++) {
        _cleanup_(freep) char *text = text_print(LOCAL "%s", good[i]);
        _cleanup_(config_freep) struct config *config = parse_text(text);

        assert_non_null(config);
    }
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++) {
        _cleanup_(freep) char *text = text_print(LOCAL "%s", bad[i]);

        assert_refused(text, "after: closes a circle");
    }
}

static void entries_of_services_are_checked(void **state)
{
    static const struct {
        const char *text, *message;
    } refused[] = {
        {"services: [{threshold: 1}]\n", "services[0]: 'match' is missing"},
        {"services: [{match: [a], hosts: [rack-9]}]\n", "services[0].hosts[0]: no hypervisor has a name like that"},
        {"services: [{match: [a], hook_env: {2X: y}}]\n", "an environment variable's name"},
        {"services: [{match: [a], hook_env: {PATH: /tmp}}]\n", "expected another name"},
        {"services: [{match: [a], hook_env: {UNDERSTUDY_EVENT: x}}]\n", "expected another name"},
        {"services: [{match: [a], hook_env: {A: \"x\\ny\"}}]\n", "expected one line of printable text"},
        {"services: [{match: [a], treshold: 1}]\n", "did you mean 'threshold'"},
        {"services: [{match: [a], priority: high}]\n", "expected a whole number from -1000000 to 1000000"},
        {"services: {a: {threshold: 1}}\n", "expected a list of services"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(refused); i++) {
        _cleanup_(freep) char *text = text_print(LOCAL "%s", refused[i].text);

        assert_refused(text, refused[i].message);
    }
}

static void case_study_weights(void **state)
{
    _cleanup_(config_freep) struct config *config =
        parse_text(LOCAL "similarity:\n"
                         "  weights: {environment: {}, resource: {language: 0.3, database: 0.2, webserver: 0.1}}\n");

    (void)state;
    for (size_t i = 0; i < ENVIRONMENT_COUNT; i++)
        assert_int_equal(config->similarity.environment_weights[i], 0);
    assert_int_equal(config->similarity.n_resource_weights, 3);
    assert_weight(&config->similarity.resource_weights[0], "language", NULL, 300000);
    assert_weight(&config->similarity.resource_weights[2], "webserver", NULL, 100000);
}

/* A section whose keys are all commented out is nothing to YAML. */
static void sections_may_be_empty(void **state)
{
    static const char *const paths[] = {"hypervisors"};
    _cleanup_(config_freep) struct config *config = parse_text(
        LOCAL "pool:\nmachines:\nsimilarity:\n  weights:\nfailure: ~\nrecovery: {}\ndiscovery: null\napi:\n");

    (void)state;
    assert_only_differs_in(config, paths, ELEMENTS_OF(paths));
}

static void aliases_resolve(void **state)
{
    _cleanup_(config_freep) struct config *config = parse_text("hypervisors: [{name: &n local, uri: \"test:///x\"}]\n"
                                                               "machines:\n"
                                                               "  a: &web {webserver: &w [nginx, apache], os: *n}\n"
                                                               "  b: *web\n"
                                                               "  c: {webserver: *w}\n");

    (void)state;
    assert_int_equal(config->n_machines, 3);
    assert_int_equal(config->machines[1].n_facts, 3);
    assert_fact(&config->machines[1].facts[1], "webserver", "apache");
    assert_fact(&config->machines[1].facts[2], "os", "local");
    assert_int_equal(config->machines[2].n_facts, 2);
}

static void crlf_and_byte_order_mark(void **state)
{
    _cleanup_(config_freep) struct config *config =
        parse_text("\xef\xbb\xbfhypervisors:\r\n  - name: local\r\n    uri: qemu:///system\r\n");

    (void)state;
    static const char *const paths[] = {"hypervisors"};

    (void)state;
    assert_only_differs_in(config, paths, ELEMENTS_OF(paths));
}

/* Ten levels of ten aliases each stand for ten thousand million values. */
static void aliases_cannot_multiply(void **state)
{
    _cleanup_(freep) char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    (void)state;
    assert_non_null(f);
    fputs("l0: &l0 [x]\n", f);
    for (int level = 1; level <= 10; level++) {
        fprintf(f, "l%d: &l%d [", level, level);
        for (int i = 0; i < 10; i++)
            fprintf(f, "*l%d, ", level - 1);
        fputs("]\n", f);
    }
    fclose(f);
    assert_findings(text, size, "f", "f:7:30: error: more than 1000000 values, with every alias written out\n");
}

static char *repeat(const char *text, size_t n)
{
    size_t length = strlen(text);
    char *all = malloc(n * length + 1);

    assert_non_null(all);
    for (size_t i = 0; i < n; i++)
        memcpy(all + i * length, text, length);
    all[n * length] = '\0';
    return all;
}

static void depth_and_size_have_limits(void **state)
{
    static const struct {
        const char *unit;
        size_t n;
        const char *findings;
    } cases[] = {
        {"[", 100000, "f:1:33: error: nested deeper than 32 levels\n"},
        {"a:\n ", 100000, NULL},
        {"- ", 100000, "f:1:65: error: nested deeper than 32 levels\n"},
        {"# a comment\n", DOCUMENT_BYTES_MAX / 12 + 1, "f: error: larger than 4194304 bytes\n"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *text = repeat(cases[i].unit, cases[i].n);
        _cleanup_(diags_done) struct diags diags = {0};
        struct config *config = NULL;

        if (cases[i].findings != NULL)
            assert_findings(text, strlen(text), "f", cases[i].findings);
        else
            assert_int_equal(config_parse(text, strlen(text), "f", &diags, &config), -EINVAL);
    }
}

static void errors_have_a_limit(void **state)
{
    _cleanup_(freep) char *text = repeat("- {}\n", 200), *all = NULL;
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;

    (void)state;
    assert_true(asprintf(&all, "hypervisors:\n%s", text) > 0);
    assert_int_equal(config_parse(all, strlen(all), "f", &diags, &config), -EINVAL);
    assert_int_equal(diags.count, 100);
    assert_string_equal(diags.items[99].message, "too many errors; the rest is not shown");
}

/* Findings that were there before stay where they are. */
static void findings_are_appended(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;

    (void)state;
    diags_add(&diags, DIAG_WARNING, "other", 99, 1, "earlier");
    assert_int_equal(config_parse("a: 1\n", 5, "f", &diags, &config), -EINVAL);
    assert_int_equal(diags.count, 3);
    assert_string_equal(diags.items[0].message, "earlier");
}

static void warnings_do_not_refuse(void **state)
{
    static const char text[] = LOCAL "machines: {\"web-*\": {os: debian-12}}\n";
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;

    (void)state;
    assert_int_equal(config_parse(text, strlen(text), "f", &diags, &config), 0);
    assert_int_equal(diags.count, 1);
    assert_int_equal(diags.items[0].severity, DIAG_WARNING);
    assert_string_equal(config->machines[0].name, "web-*");
}

/* The one warning of a configuration; NULL: none. */
static void assert_warning(const char *text, const char *expected, unsigned line)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;

    assert_int_equal(config_parse(text, strlen(text), "f", &diags, &config), 0);
    assert_int_equal(diags.count, expected != NULL ? 1 : 0);
    if (expected == NULL)
        return;
    assert_int_equal(diags.items[0].severity, DIAG_WARNING);
    assert_int_equal(diags.items[0].line, line);
    assert_non_null(strstr(diags.items[0].message, expected));
}

static void a_driver_that_libvirt_does_not_know_is_warned_of(void **state)
{
    (void)state;
    assert_warning("hypervisors:\n  - {name: a, uri: \"quemu+ssh://b/system\"}\n",
                   "hypervisors[0].uri: libvirt knows no driver \"quemu\"", 2);
    assert_warning("hypervisors:\n  - {name: a, uri: \"qemu+ssh://b/system\"}\n", NULL, 0);
}

#define FENCE     "fence: {command: /usr/sbin/fence_ipmilan}\n"
#define OWN       "hypervisors: [{name: a, uri: \"qemu:///system\"}"
#define AND(host) ", {name: " host ", uri: \"qemu+tls://" host "/system\"}"

static void a_fence_command_that_is_never_used_is_warned_of(void **state)
{
    (void)state;
    assert_warning(FENCE OWN AND("b") "]\n", "fence.command: is never used: with one remote hypervisor", 1);
    assert_warning(FENCE OWN AND("b") "]\nisolation_share: 0.99\n", "isolation_share must be 1", 1);
    assert_warning(FENCE OWN AND("b") "]\nisolation_share: 1\n", NULL, 0);
    assert_warning(FENCE OWN AND("b") AND("c") "]\n", NULL, 0);
    assert_warning(FENCE OWN AND("b") AND("c") "]\nisolation_share: 0.4\n", "one of 2 remote hypervisors", 1);
    assert_warning(FENCE OWN "]\n", NULL, 0);
    assert_warning(OWN AND("b") "]\n", NULL, 0);
}

static void rehearsals_that_outlive_the_history_are_warned_of(void **state)
{
    (void)state;
    assert_warning("rehearsals: {every: 31d}\nrecovery: {history_days: 30}\n" OWN "]\n",
                   "rehearsals.every: is longer than recovery.history_days (30)", 1);
    assert_warning("rehearsals: {every: 30d}\nrecovery: {history_days: 30}\n" OWN "]\n", NULL, 0);
}

/* Success or errors, never neither: and never a crash, which the sanitizers watch for. */
static void parse_anything(const char *text, size_t length)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(freep) char *exact = malloc(length + (length == 0));
    int r;

    /* A copy of its very size, so that reading beyond it is seen. */
    assert_non_null(exact);
    memcpy(exact, text, length);
    r = config_parse(exact, length, "f", &diags, &config);
    assert_true(r == 0 || r == -EINVAL);
    assert_int_equal(r == 0, config != NULL);
    assert_int_equal(r == 0, !diags_have_errors(&diags));
}

static void every_truncation_is_survived(void **state)
{
    size_t length;
    _cleanup_(freep) char *text = read_whole(DATA "full.yaml", &length);

    (void)state;
    for (size_t i = 0; i <= length; i++)
        parse_anything(text, i);
}

static void flipped_bytes_are_survived(void **state)
{
    size_t length;
    _cleanup_(freep) char *original = read_whole(DATA "full.yaml", &length);
    _cleanup_(freep) char *text = malloc(length);
    uint64_t seed = 20240229;

    (void)state;
    assert_non_null(text);
    for (int round = 0; round < 2000; round++) {
        memcpy(text, original, length);
        for (uint64_t n = 1 + random_below(&seed, 4); n > 0; n--)
            text[random_below(&seed, length)] ^= (char)(1u << random_below(&seed, 8));
        parse_anything(text, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_explained),
        cmocka_unit_test(bad_bytes_are_explained),
        cmocka_unit_test(findings_without_a_file_name),
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_set),
        cmocka_unit_test(a_fence_command_alone_is_one_level),
        cmocka_unit_test(every_key_is_read_and_compared),
        cmocka_unit_test(restarts_are_for_few_keys),
        cmocka_unit_test(sample_is_what_the_schema_writes),
        cmocka_unit_test(sample_protects_nothing_and_sets_nothing_but_defaults),
        cmocka_unit_test(sample_uncommented_sets_nothing_but_defaults),
        cmocka_unit_test(threshold_is_the_default_of_coverage),
        cmocka_unit_test(the_first_entry_that_gives_a_key_counts_for_that_key),
        cmocka_unit_test(min_coverage_follows_the_threshold_of_the_service),
        cmocka_unit_test(a_policy_in_words),
        cmocka_unit_test(services_that_wait_for_each_other_are_an_error),
        cmocka_unit_test(entries_of_services_are_checked),
        cmocka_unit_test(case_study_weights),
        cmocka_unit_test(sections_may_be_empty),
        cmocka_unit_test(aliases_resolve),
        cmocka_unit_test(crlf_and_byte_order_mark),
        cmocka_unit_test(aliases_cannot_multiply),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(errors_have_a_limit),
        cmocka_unit_test(findings_are_appended),
        cmocka_unit_test(warnings_do_not_refuse),
        cmocka_unit_test(a_driver_that_libvirt_does_not_know_is_warned_of),
        cmocka_unit_test(a_fence_command_that_is_never_used_is_warned_of),
        cmocka_unit_test(rehearsals_that_outlive_the_history_are_warned_of),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(flipped_bytes_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
