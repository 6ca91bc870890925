/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of problem begins, says what to do, and ends. */
#include "report/problems.h"

#include <errno.h>
#include <string.h>

#include "report/time.h"
#include "shipped_catalog.h"
#include "support.h"
#include "world.h"

#define LONG (600 * USEC_PER_SEC)

static const struct problems_outside well = {.config_file = "/etc/understudy/understudy.yaml"};

/* With the configuration in force. */
static struct problems_outside configured(const struct world *world)
{
    struct problems_outside outside = well;

    outside.config = &world->config;
    return outside;
}

static struct problems collect(struct world *world, const struct problems_outside *outside)
{
    struct problems problems = {0};

    assert_int_equal(problems_collect(world->coordinator, coordinator_plan(world->coordinator, world->now), outside,
                                      world->now, &problems),
                     0);
    return problems;
}

/* words: part of the sentence or of the remedy; NULL: there is no such problem. */
static void check(struct world *world, enum problem_kind kind, const char *subject, const char *words)
{
    const struct problems_outside outside = configured(world);
    struct problems problems = collect(world, &outside);
    const struct problem wanted = {.kind = kind, .subject = (char *)subject};
    const struct problem *found = problems_find(&problems, &wanted);

    assert_int_equal(found != NULL, words != NULL);
    assert_true(words == NULL || strstr(found->text, words) != NULL || strstr(found->remedy, words) != NULL);
    problems_done(&problems);
}

static void check_none(struct world *world)
{
    const struct problems_outside outside = configured(world);
    struct problems problems = collect(world, &outside);

    assert_int_equal(problems.count, 0);
    problems_done(&problems);
}

/* All that was added is listed, and known. */
static void begin(struct world *world)
{
    world_connect_all(world);
    world_pass(world, SETTLED);
}

/* It becomes what it is to be, and all that follows is done. */
static void see(struct world *world, void (*happen)(struct world *world, unsigned number), unsigned number)
{
    happen(world, number);
    world_pass(world, SETTLED);
}

/* With a configuration that has been changed. */
static void check_after(struct world *world, enum problem_kind kind, const char *subject, const char *words)
{
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, SETTLED);
    check(world, kind, subject, words);
}

static void test_all_is_well(struct world *world)
{
    world_add_three(world);
    begin(world);
    check_none(world);
    world_disconnect(world, LOCAL);
    check(world, PROBLEM_HOST_UNREACHABLE, "local", "its machines are not watched");
    check(world, PROBLEM_HOST_UNREACHABLE, "local", "virsh -c 'test:///default' list"); /* a URI may have a "?" */
}

static void test_a_service_that_nothing_would_take_over(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_RUNNING);
    begin(world);
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", "understudyctl explain a");
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_tell(world, 1, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", NULL);
}

static void test_the_nearest_candidate_is_told_with_what_it_lacks(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    b = world_add(world, "b", "database/mysql", MACHINE_SHUT_OFF);
    begin(world);
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", "the closest is b: ");
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", "; it lacks language/nodejs, webserver/nginx");
    world->domains[b].features = WEB;
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check_none(world);
}

static void test_a_candidate_without_the_data(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB " data/orders", MACHINE_RUNNING);
    b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    begin(world);
    check(world, PROBLEM_DATA_MISSING, "a", "b would take over from a, and lacks its data/orders");
    world->domains[b].features = WEB " data/orders";
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_DATA_MISSING, "a", NULL);
}

/* While so many are to be kept warm; none is begun to be warmed meanwhile. */
static void check_with_warm(struct world *world, unsigned warm, const char *words)
{
    world->config.standby.warm = warm;
    check(world, PROBLEM_TOO_FEW_STANDBYS, "", words);
    world->config.standby.warm = 0;
}

static void test_fewer_standbys_than_services(struct world *world)
{
    unsigned c;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    world_add(world, "b", WEB, MACHINE_RUNNING);
    c = world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    begin(world);
    check_with_warm(world, 0, NULL); /* a room with one standby for all is meant so */
    check_with_warm(world, 1, NULL);
    check_with_warm(world, 2, "2 services share 1 standby, fewer than the 2 that standby.warm is for");
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", NULL);
    world->domains[c].role = "ignored";
    world_tell(world, c, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check_with_warm(world, 2, NULL); /* there is none to share */
    world->domains[c].role = NULL;
    world_tell(world, c, EVENT_CHANGED);
    world_add(world, "d", WEB, MACHINE_SHUT_OFF);
    world_tell(world, 3, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check_with_warm(world, 3, NULL);
}

static void test_a_service_that_is_down(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    begin(world);
    see(world, world_kill, a);
    check(world, PROBLEM_SERVICE_DOWN, "a", "understudyctl recover a");
    check(world, PROBLEM_SERVICE_DOWN, "a", "understudyctl history ");
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", NULL);
    see(world, world_boot, a);
    check(world, PROBLEM_SERVICE_DOWN, "a", NULL);
}

static void test_a_service_that_a_replacement_serves(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    begin(world);
    see(world, world_kill, a);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "understudyctl failback a");
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    see(world, world_boot, a);
    check(world, PROBLEM_RUNS_TWICE, "a", "shut the other one down");
    see(world, world_shut_down, a);
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
    see(world, world_boot, a);
    see(world, world_shut_down, b);
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", NULL);
}

/* A host that boots would start it beside its replacement. */
static void test_an_original_that_starts_with_its_host(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world->domains[a].autostart_us = SETTLED / 2;
    begin(world);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
    check(world, PROBLEM_AUTOSTART_ON, "a", NULL); /* its host has not answered yet */
    world->domains[a].autostart = true;
    world->domains[a].autostart_error = -EPERM;
    world_pass(world, SETTLED);
    check(world, PROBLEM_AUTOSTART_ON, "a", "beside its replacement b");
    check(world, PROBLEM_AUTOSTART_ON, "a", "on local: virsh autostart --disable 00000000-");
    world->domains[a].autostart_error = 0;
    world_pass(world, LONG);
    check(world, PROBLEM_AUTOSTART_ON, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
}

static void test_a_disk_that_is_not_there(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world_add(world, "b", WEB, MACHINE_RUNNING);
    world->domains[a].disk = "/images/a.qcow2";
    world->domains[a].disk_is_missing = true;
    begin(world);
    check(world, PROBLEM_DISK_MISSING, "a", "its disk /images/a.qcow2 is not there");
    world->domains[a].disk_is_missing = false;
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_DISK_MISSING, "a", NULL);
}

static void test_a_machine_that_is_to_be_removed(struct world *world)
{
    unsigned made;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    made = world_add(world, "a-1a2b", WEB, MACHINE_SHUT_OFF);
    world->domains[made].template = "base";
    world->domains[made].role = "ignored";
    world->config.recovery.keep_made_us = 3600 * USEC_PER_SEC;
    begin(world);
    check(world, PROBLEM_REMOVAL, "a-1a2b",
          "a-1a2b was made from the template base, serves nothing, and is deleted after ");
    world->domains[made].role = "protected";
    world_tell(world, made, EVENT_CHANGED);
    world_pass(world, 600 * USEC_PER_SEC);
    check(world, PROBLEM_REMOVAL, "a-1a2b", NULL);
}

/* Both that could be made from it: one problem. */
static void test_a_template_of_which_nothing_can_be_made(struct world *world)
{
    unsigned first, second;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    first = world_add(world, "base", WEB, MACHINE_TEMPLATE);
    second = world_add(world, "base.2", WEB, MACHINE_TEMPLATE);
    world->domains[first].template = world->domains[second].template = "base";
    world->domains[first].disk = "/images/base.qcow2";
    world->domains[first].disk_is_missing = true;
    world->domains[first].obstacle = world->domains[second].obstacle = "the base image /images/base.qcow2 is missing";
    begin(world);
    check(world, PROBLEM_TEMPLATE_UNUSABLE, "base",
          "no machine can be made from template base on local: the base image /images/base.qcow2 is missing");
    check(world, PROBLEM_TEMPLATE_UNUSABLE, "base.2", NULL);
    check(world, PROBLEM_DISK_MISSING, "base", NULL);
    world->domains[first].obstacle = NULL;
    world_tell(world, first, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_TEMPLATE_UNUSABLE, "base", NULL);
    check(world, PROBLEM_TEMPLATE_UNUSABLE, "base.2", "is missing");
}

static void test_a_standby_that_cannot_be_verified(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world->domains[0].role = "protected"; /* it is never verified */
    begin(world);
    check(world, PROBLEM_NOT_VERIFIABLE, "b", NULL);
    world->config.recovery.verify.level = VERIFY_AGENT;
    check_after(world, PROBLEM_NOT_VERIFIABLE, "b", "org.qemu.guest_agent.0");
    check(world, PROBLEM_NOT_VERIFIABLE, "a", NULL);
    world->domains[b].has_agent = true;
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NOT_VERIFIABLE, "b", NULL);
}

static void test_a_standby_whose_address_cannot_be_known(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    begin(world);
    world->config.recovery.verify.level = VERIFY_TCP;
    check_after(world, PROBLEM_NOT_VERIFIABLE, "b", "recovery.verify.level is tcp, and it has neither a network");
    world->domains[b].mac = "52:54:00:00:00:01";
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NOT_VERIFIABLE, "b", NULL);
    world->domains[b].mac = NULL;
    world->domains[b].has_agent = true;
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NOT_VERIFIABLE, "b", NULL);
}

/* As a migration on shared storage leaves it. */
static void test_a_disk_that_looks_shared(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    unsigned twin = world_add_on(world, OTHER, "a", MACHINE_SHUT_OFF);
    unsigned c = world_add_on(world, OTHER, "c", MACHINE_SHUT_OFF);

    world->domains[twin].uuid_of = a + 1;
    world->domains[a].disk = world->domains[twin].disk = world->domains[c].disk = "/srv/images/a.qcow2";
    begin(world);
    check(world, PROBLEM_DISKS_LOOK_SHARED, "a",
          "a is defined on local and on other with the disk /srv/images/a.qcow2");
    check(world, PROBLEM_DISKS_LOOK_SHARED, "c", NULL); /* paths of two machines may well be the same */
    world->config.storage.shared = LIST("/srv/images");
    check_after(world, PROBLEM_DISKS_LOOK_SHARED, "a", NULL);
}

static void test_programs_that_cannot_be_run(struct world *world)
{
    _cleanup_(diags_done) struct diags programs = {0};
    struct problems_outside outside = well;
    struct problems problems;

    world_add_three(world);
    begin(world);
    diags_add(&programs, DIAG_WARNING, "/c.yaml", 0, 0, "fence.command: /usr/sbin/fence_x is not run: No such file");
    diags_add(&programs, DIAG_WARNING, "/c.yaml", 0, 0,
              "hooks.directory: /etc/hooks/10-x cannot be run: no interpreter");
    outside.programs = &programs;
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.all[0].kind, PROBLEM_PROGRAM);
    assert_string_equal(problems.all[0].subject, "fence.command: /usr/sbin/fence_x");
    assert_string_equal(problems.all[0].text, "fence.command: /usr/sbin/fence_x is not run: No such file");
    assert_string_equal(problems.all[1].subject, "hooks.directory: /etc/hooks/10-x");
    problems_done(&problems);
}

static void test_a_template_that_is_wrong(struct world *world)
{
    _cleanup_(template_set_freep) struct template_set *templates = NULL;
    struct problems_outside outside = well;
    struct problems problems;

    world_add_three(world);
    begin(world);
    assert_int_equal(template_set_new(&templates), 0);
    outside.templates = templates;
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 0);
    problems_done(&problems);
    assert_int_equal(template_set_add_fault(templates, "/t/web.xml", "/t/web.xml:7: no memory"), 0);
    assert_int_equal(template_set_add_fault(templates, "/t/web.xml", "/t/web.xml:9: told once for each file"), 0);
    assert_int_equal(template_set_add_fault(templates, "/t/db.xml", "/t/db.xml: cannot be read"), 0);
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.all[1].kind, PROBLEM_TEMPLATE_UNREADABLE);
    assert_string_equal(problem_kind_name(problems.all[1].kind), "template-unreadable");
    assert_int_equal(problem_severity(problems.all[1].kind), problem_severity(PROBLEM_METADATA_UNREAD));
    assert_string_equal(problems.all[0].subject, "/t/db.xml");
    assert_string_equal(problems.all[1].subject, "/t/web.xml");
    assert_string_equal(problems.all[1].text, "/t/web.xml:7: no memory");
    assert_non_null(strstr(problems.all[1].remedy, "understudyctl reload"));
    problems_done(&problems);
    outside.templates = NULL;
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 0);
    problems_done(&problems);
}

static void test_a_machine_in_quarantine(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    struct order clear = {.kind = ORDER_CLEAR};
    struct order_answer answer = {0};
    char until[TIME_TEXT_SIZE], words[80];

    world->domains[b].start_us = LONG;
    begin(world);
    world_kill(world, a);
    world_pass(world, LONG / 2);
    check(world, PROBLEM_QUARANTINE, "b", "understudyctl clear b");
    time_format(world->now.real_us + machine_rare(world_machine(world, b))->quarantined_until_us - world->now.mono_us,
                until);
    snprintf(words, sizeof(words), "b is in quarantine until %.10s %.8s UTC", until, until + strlen("2026-11-22T"));
    check(world, PROBLEM_QUARANTINE, "b", words);
    clear.machine = machine_ref_of(world_machine(world, b));
    assert_int_equal(coordinator_order(world->coordinator, &clear, world->now, &answer), 0);
    order_answer_done(&answer);
    check(world, PROBLEM_QUARANTINE, "b", NULL);
}

/* It ends when the guest was not reset for failure.panic_window. */
static void test_a_guest_that_is_reset_again_and_again(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    begin(world);
    for (int i = 0; i < 2; i++) {
        world_happen(world, a, EVENT_REBOOT);
        world_pass(world, 10 * USEC_PER_SEC);
    }
    check(world, PROBLEM_GUEST_RESETS, "a", NULL);
    world_happen(world, a, EVENT_REBOOT);
    check(world, PROBLEM_GUEST_RESETS, "a", "virsh console a");
    world_pass(world, world->config.failure.panic_window_us + USEC_PER_SEC);
    check(world, PROBLEM_GUEST_RESETS, "a", NULL);
}

static void test_a_hold(struct world *world)
{
    struct machine_ref host = {.hypervisor = "local"};

    world_add_three(world);
    begin(world);
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_HOST, &host, "local", "new disks", NULL,
                                      3600 * USEC_PER_SEC, world->now),
                     0);
    check(world, PROBLEM_HOLD, "local", "until 20");
    check(world, PROBLEM_HOLD, "local", "new disks");
    check(world, PROBLEM_HOLD, "local", "understudyctl release local");
    assert_int_equal(coordinator_release(world->coordinator, HOLD_HOST, &host, world->now), 0);
    check(world, PROBLEM_HOLD, "local", NULL);
}

static void test_the_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world_add_many(world, 4, 10);
    begin(world);
    for (unsigned i = 0; i < 3; i++)
        see(world, world_kill, i);
    check(world, PROBLEM_BRAKE, "", "understudyctl release brake");
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, SETTLED);
    check(world, PROBLEM_BRAKE, "", NULL);
}

static void test_no_roles(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].role = "ignored";
    begin(world);
    check(world, PROBLEM_NO_ROLES, "", "no machine is protected and none is standby");
    check(world, PROBLEM_NO_ROLES, "", "pool.protect and pool.standby of /etc/understudy/understudy.yaml");
    world->domains[a].role = "protected";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", "no machine is standby");
    world->domains[a].role = "standby";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", "no machine is protected");
    world->domains[a].role = "protected standby";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", NULL);
}

/* Mended, or asked for by the default patterns, which match every machine, it would take part. */
static void test_a_role_that_cannot_be_read(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b;

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    b = world_add(world, "c", WEB, MACHINE_RUNNING);
    world->domains[a].role = "unreadable";
    world->domains[a].metadata_faults = "role is no role: protcted";
    begin(world);
    check(world, PROBLEM_METADATA_UNREAD, "a",
          "a takes no part until the role in its metadata can be read: role is no");
    check(world, PROBLEM_METADATA_UNREAD, "a", "understudyctl tag a --role ROLE");
    check(world, PROBLEM_METADATA_UNREAD, "c", NULL);
    see(world, world_kill, a);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    see(world, world_kill, b);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    see(world, world_boot, a);
    world->domains[a].role = NULL;
    world->domains[a].metadata_faults = NULL;
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_METADATA_UNREAD, "a", NULL);
    assert_int_equal(world_machine(world, a)->roles, ROLE_PROTECTED | ROLE_STANDBY);
}

static void test_metadata_that_is_not_understood(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    b = world_add(world, "b", WEB " databse/mysql role/standby", MACHINE_SHUT_OFF);
    world->domains[b].metadata_faults = "unknown element: x";
    begin(world);
    check(world, PROBLEM_METADATA_UNREAD, "b",
          "b has metadata of which not all is understood: unknown element: x; the kind databse is not known; database "
          "may be meant; role is taken for a kind of resource here");
    world->domains[b].features = WEB " team/blue";
    world->domains[b].metadata_faults = NULL;
    world_tell(world, b, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_METADATA_UNREAD, "b", NULL); /* a kind of its own may be meant */
}

static void test_patterns_that_match_nothing(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    strcpy(world->domains[a].service, "shop");
    begin(world);
    world->config.pool.protect = LIST("*", "web-*", "shop");
    world->config.pool.ignore = LIST("^VM.*$");
    world->config.pool.standby = LIST("*", "local/*", "other/*", "shop");
    check_after(world, PROBLEM_PATTERN_UNMATCHED, "pool.protect: web-*", "matches no machine");
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.protect: shop", NULL); /* a service is protected by its name */
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.standby: shop", "matches no machine");
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.standby: local/*", NULL);
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.standby: other/*", "matches no machine");
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.ignore: ^VM.*$", "only *, ? and [a-z] work");
    check(world, PROBLEM_PATTERN_UNMATCHED, "pool.ignore: ^VM.*$", "/etc/understudy/understudy.yaml");
    world->config.pool.ignore = (struct string_list){0};
    check_after(world, PROBLEM_PATTERN_UNMATCHED, "pool.ignore: ^VM.*$", NULL);
}

static void test_entries_of_services_that_are_for_none(struct world *world)
{
    struct config_service entries[] = {
        {.match = LIST("a", "nosuch-*"), .after = LIST("shop", "db"), .must_cover = LIST("databse")}};
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    strcpy(world->domains[a].service, "shop");
    begin(world);
    world->config.services = entries;
    world->config.n_services = 1;
    check_after(world, PROBLEM_PATTERN_UNMATCHED, "services[0].match: nosuch-*", "matches no machine");
    check(world, PROBLEM_PATTERN_UNMATCHED, "services[0].match: a", NULL);
    check(world, PROBLEM_PATTERN_UNMATCHED, "services[0].after: shop", NULL); /* a service goes by its own name */
    check(world, PROBLEM_PATTERN_UNMATCHED, "services[0].after: db", "matches no machine");
    check(world, PROBLEM_KIND_DOUBTFUL, "services[0].must_cover: databse", "database may be meant");
    world->config.n_services = 0;
    check_after(world, PROBLEM_PATTERN_UNMATCHED, "services[0].match: nosuch-*", NULL);
}

static void test_facts_that_are_not_meant(struct world *world)
{
    struct config_fact role[] = {{(char *)"role", (char *)"protected"}};
    struct config_fact misspelt[] = {{(char *)"databse", (char *)"mysql"}, {(char *)"databse", (char *)"redis"}};
    struct config_fact own[] = {{(char *)"team", (char *)"blue"}, {(char *)"os", (char *)"debian-12"}};
    struct config_machine machines[] = {
        {(char *)"local/a", role, 1}, {(char *)"a", misspelt, 2}, {(char *)"nosuch", own, 2}};

    world_add(world, "a", WEB, MACHINE_RUNNING);
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    begin(world);
    world->config.machines = machines;
    world->config.n_machines = ELEMENTS_OF(machines);
    check_after(world, PROBLEM_FACTS_UNMATCHED, "nosuch", "no machine has that name");
    check(world, PROBLEM_FACTS_UNMATCHED, "a", NULL);
    check(world, PROBLEM_FACTS_UNMATCHED, "local/a", NULL);
    check(world, PROBLEM_KIND_DOUBTFUL, "machines: local/a: role",
          "to give a machine a role: understudyctl tag MACHINE --role …");
    check(world, PROBLEM_KIND_DOUBTFUL, "machines: a: databse", "database may be meant");
    check(world, PROBLEM_KIND_DOUBTFUL, "machines: nosuch: team", NULL);
    world->config.n_machines = 0;
    check_after(world, PROBLEM_FACTS_UNMATCHED, "nosuch", NULL);
    check(world, PROBLEM_KIND_DOUBTFUL, "machines: a: databse", NULL);
}

static void test_kinds_that_must_be_covered_and_are_not_there(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_RUNNING);
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    begin(world);
    world->config.similarity.must_cover = LIST("databse", "data", "database", "memory", "ram");
    check_after(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: databse",
                "demands nothing: the kind databse is not known; "
                "database may be meant");
    check(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: data", "no machine is known to offer");
    check(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: ram", "no machine is known to offer");
    check(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: database", NULL);
    check(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: memory", NULL);
    world->config.similarity.must_cover = (struct string_list){0};
    check_after(world, PROBLEM_KIND_DOUBTFUL, "similarity.must_cover: databse", NULL);
}

static void test_a_weight_of_a_kind_that_is_misspelt(struct world *world)
{
    static struct config_weight weights[] = {{(char *)"databse", NULL, 200000},
                                             {(char *)"webserver2", NULL, 100000},
                                             {(char *)"team", NULL, 100000},
                                             {(char *)"other", NULL, 50000}};
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();

    world_add(world, "a", WEB " webserver2/x", MACHINE_RUNNING);
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    begin(world);
    world->config.similarity.resource_weights = weights;
    world->config.similarity.n_resource_weights = ELEMENTS_OF(weights);
    check_after(world, PROBLEM_KIND_DOUBTFUL, "weights: databse", NULL); /* without a catalog, it is as good as any */
    coordinator_set_catalog(world->coordinator, catalog);
    check_after(world, PROBLEM_KIND_DOUBTFUL, "weights: databse", "database may be meant");
    check(world, PROBLEM_KIND_DOUBTFUL, "weights: webserver2", NULL);
    check(world, PROBLEM_KIND_DOUBTFUL, "weights: team", NULL);
    check(world, PROBLEM_KIND_DOUBTFUL, "weights: other", NULL);
    weights[0].kind = (char *)"database";
    check_after(world, PROBLEM_KIND_DOUBTFUL, "weights: databse", NULL);
}

/* Without a pool, what only looks foreign is told, and that a machine is not known is not. */
static void test_what_a_configuration_says_of_itself(struct world *world)
{
    struct config_fact facts[] = {{(char *)"databse", (char *)"mysql"}};
    struct config_machine machine = {(char *)"nosuch", facts, 1};
    struct problems problems;

    world->config.pool.protect = LIST("web-*", "spare-{1,2}");
    world->config.machines = &machine;
    world->config.n_machines = 1;
    world->config.similarity.must_cover = LIST("data");
    assert_int_equal(problems_collect_config(&world->config, NULL, NULL, NULL, world->now, &problems), 0);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.all[0].subject, "pool.protect: spare-{1,2}");
    assert_non_null(strstr(problems.all[0].text, "which is no valid pattern"));
    assert_string_equal(problems.all[1].subject, "machines: nosuch: databse");
    problems_done(&problems);
}

static void test_a_lost_host_that_is_not_fenced(struct world *world)
{
    world_add_three(world);
    world->fence_error = -EIO;
    world_connect_all(world);
    world_disconnect(world, LOCAL);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    check(world, PROBLEM_HOST_NOT_FENCED, "local", "understudyctl fenced local --yes");
    check(world, PROBLEM_HOST_NOT_FENCED, "local", "no power switch");
    begin(world);
    check(world, PROBLEM_HOST_NOT_FENCED, "local", NULL);
}

static void test_a_host_at_which_nothing_can_be_done(struct world *world)
{
    world_add_three(world);
    world->is_read_only[LOCAL] = true;
    begin(world);
    check(world, PROBLEM_HOST_READ_ONLY, "local", "none of them can be started or stopped");
    check(world, PROBLEM_HOST_READ_ONLY, "local", "test:///default");
    check(world, PROBLEM_HOST_READ_ONLY, "other", NULL);
    world_disconnect(world, LOCAL);
    check(world, PROBLEM_HOST_READ_ONLY, "local", NULL); /* that is another problem */
    world->is_read_only[LOCAL] = false;
    begin(world);
    check(world, PROBLEM_HOST_READ_ONLY, "local", NULL);
}

static void test_one_host_under_two_names(struct world *world)
{
    struct config_hypervisor hypervisors[2];

    world_add_three(world);
    memcpy(hypervisors, world->config.hypervisors, sizeof(hypervisors));
    hypervisors[LOCAL].host = hypervisors[OTHER].host = (char *)"rack-1";
    world->config.hypervisors = hypervisors;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    begin(world);
    check(world, PROBLEM_HOST_NAMED_TWICE, "other", "other is the same host as local, and takes no part");
    check(world, PROBLEM_HOST_NAMED_TWICE, "local", NULL);
    hypervisors[OTHER].host = NULL;
    check_after(world, PROBLEM_HOST_NAMED_TWICE, "other", NULL);
}

/* Nothing of it would be recovered, and nothing said so before it was lost. */
static void test_a_remote_host_without_a_fence_agent(struct world *world)
{
    char *command = world->config.fence.command;

    world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    world->domains[world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF)].role = "standby";
    begin(world);
    check(world, PROBLEM_NO_FENCE_AGENT, "local", NULL);
    world->config.fence.command = NULL;
    check(world, PROBLEM_NO_FENCE_AGENT, "local", "none of its protected machines (1) is started elsewhere");
    check(world, PROBLEM_NO_FENCE_AGENT, "local", "understudyctl fence-test local");
    check(world, PROBLEM_NO_FENCE_AGENT, "other", NULL); /* nothing depends on it */
    world->config.fence.is_by_hand = true;
    check(world, PROBLEM_NO_FENCE_AGENT, "local", NULL);
    world->config.fence.is_by_hand = false;
    world->config.fence.command = command;
    check(world, PROBLEM_NO_FENCE_AGENT, "local", NULL);
}

static void rehearse(struct world *world, unsigned number)
{
    struct order order = {
        .kind = ORDER_REHEARSE, .machine = machine_ref_of(world_machine(world, number)), .is_confirmed = true};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    world_pass(world, LONG);
}

static void test_a_rehearsal_that_fails(struct world *world)
{
    unsigned a = world_add_three(world);

    begin(world);
    world->domains[a + 1].start_error = -EIO;
    rehearse(world, a);
    check(world, PROBLEM_REHEARSAL, "a", "the last rehearsal of a has failed: b did not take over");
    check(world, PROBLEM_REHEARSAL, "a", "understudyctl clear a");
    world->domains[a + 1].start_error = 0;
    rehearse(world, a);
    check(world, PROBLEM_REHEARSAL, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", NULL);
}

static void test_a_rehearsal_that_is_not_ended(struct world *world)
{
    unsigned a = world_add_three(world);
    struct order order = {.kind = ORDER_REHEARSE, .is_confirmed = true};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    begin(world);
    order.machine = machine_ref_of(world_machine(world, a));
    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    coordinator_set_severe_problems(world->coordinator, 1);
    world_pass(world, LONG);
    check(world, PROBLEM_REHEARSAL, "a", "a was rehearsed, and its original does not serve again");
    check(world, PROBLEM_REHEARSAL, "a", "understudyctl failback a; or understudyctl keep a");
}

static void test_a_fence_agent_that_fails(struct world *world)
{
    world->config.fence.is_confirmed = true;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world->fence_test_fails = true;
    world_add_three(world);
    begin(world);
    check(world, PROBLEM_FENCE_AGENT, "local", "understudyctl fence-test local");
    check(world, PROBLEM_FENCE_AGENT, "local", "fence: no power switch");
    world->fence_test_fails = false;
    world_pass(world, 7 * LONG); /* it is asked again each hour */
    check(world, PROBLEM_FENCE_AGENT, "local", NULL);
}

static void test_hosts_that_are_cut_off(struct world *world)
{
    world_add_three(world);
    world_connect_all(world);
    world_disconnect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    check(world, PROBLEM_HOST_ISOLATED, "local", "nothing is fenced");
    begin(world);
    check(world, PROBLEM_HOST_ISOLATED, "local", NULL);
}

static void test_what_only_the_daemon_knows(struct world *world)
{
    const struct problems_outside outside = {.config_file = "/c.yaml",
                                             .store_trouble = "disk full",
                                             .store_is_unread = true,
                                             .reload_error = "/c.yaml:3: no"};
    struct problems problems;

    world_add_three(world);
    begin(world);
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 3);
    assert_int_equal(problems.all[0].kind, PROBLEM_STORE_FAILS); /* the severe first */
    assert_non_null(strstr(problems.all[0].text, "disk full"));
    assert_int_equal(problems.all[1].kind, PROBLEM_STORE_UNREAD);
    assert_int_equal(problems.all[2].kind, PROBLEM_RELOAD_FAILED);
    assert_non_null(strstr(problems.all[2].text, "/c.yaml:3: no"));
    assert_int_equal(problems_count(&problems, 2), 2);
    assert_int_equal(problems_count(&problems, 1), 1);
    assert_int_equal(problems_count(&problems, 0), 0);
    problems_done(&problems);
}

static void test_a_problem_stands_since_it_began(struct world *world)
{
    struct problems before, after;
    int64_t since_us;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    begin(world);
    before = collect(world, &well);
    since_us = before.all[0].since.real_us;
    world_pass(world, LONG);
    after = collect(world, &well);
    assert_int_equal(after.count, before.count);
    assert_true(after.all[0].since.real_us > since_us);
    problems_inherit(&after, &before);
    assert_int_equal(after.all[0].since.real_us, since_us);
    problems_done(&before);
    problems_done(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_all_is_well),
        world_test(test_a_service_that_nothing_would_take_over),
        world_test(test_the_nearest_candidate_is_told_with_what_it_lacks),
        world_test(test_a_candidate_without_the_data),
        world_test(test_fewer_standbys_than_services),
        world_test(test_a_service_that_is_down),
        world_test(test_a_service_that_a_replacement_serves),
        world_test(test_an_original_that_starts_with_its_host),
        world_test(test_a_disk_that_is_not_there),
        world_test(test_a_machine_that_is_to_be_removed),
        world_test(test_a_template_of_which_nothing_can_be_made),
        world_test(test_a_standby_that_cannot_be_verified),
        world_test(test_a_standby_whose_address_cannot_be_known),
        world_test(test_a_disk_that_looks_shared),
        world_test(test_programs_that_cannot_be_run),
        world_test(test_a_template_that_is_wrong),
        world_test(test_a_machine_in_quarantine),
        world_test(test_a_guest_that_is_reset_again_and_again),
        world_test(test_a_hold),
        world_test(test_the_brake),
        world_test(test_no_roles),
        world_test(test_a_role_that_cannot_be_read),
        world_test(test_metadata_that_is_not_understood),
        world_test(test_patterns_that_match_nothing),
        world_test(test_entries_of_services_that_are_for_none),
        world_test(test_facts_that_are_not_meant),
        world_test(test_kinds_that_must_be_covered_and_are_not_there),
        world_test(test_a_weight_of_a_kind_that_is_misspelt),
        world_test(test_what_a_configuration_says_of_itself),
        remote_test(test_a_lost_host_that_is_not_fenced),
        world_test(test_a_host_at_which_nothing_can_be_done),
        world_test(test_one_host_under_two_names),
        remote_test(test_a_remote_host_without_a_fence_agent),
        world_test(test_a_rehearsal_that_fails),
        world_test(test_a_rehearsal_that_is_not_ended),
        remote_test(test_a_fence_agent_that_fails),
        remote_test(test_hosts_that_are_cut_off),
        world_test(test_what_only_the_daemon_knows),
        world_test(test_a_problem_stands_since_it_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
