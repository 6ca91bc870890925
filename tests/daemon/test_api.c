/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be asked of the control interface and what it answers; its limits. */
#include "api_world.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "api/gate.h"
#include "api/lists.h"

static void test_status(void **state)
{
    struct world *world = world_new(1);

    (void)state;
    check(world, "GET", "/v1/status", "", 200, "application/json", "\"mode\":\"automatic\"", "\"ready\":true",
          "\"name\":\"room\",\"uri\":\"test:///default\",\"connected\":true,\"listed\":true,\"machines\":5",
          "\"machines\":{\"total\":6,\"running\":1,\"standby\":6,\"standing_by\":5,\"protected\":6,\"warm\":0,",
          "\"under_way\":0", NULL);
    world_free(world);
}

static void test_machines_by_every_name(void **state)
{
    struct world *world = world_new(1);

    (void)state;
    check(world, "GET", "/v1/machines", "", 200, "\"name\":\"VM-001\"", "\"name\":\"far/VM-004\"", NULL);
    check(world, "GET", "/v1/machines/VM-001", "", 200, "\"state\":\"running\"", "\"warmth\":null",
          "\"sources\":{\"language\":\"metadata\"", NULL);
    check(world, "GET", "/v1/machines/room%2FVM-004", "", 200, "\"hypervisor\":\"room\"", NULL);
    check(world, "GET", "/v1/machines/00000000-0000-4000-8000-000000001000", "", 200, "\"hypervisor\":\"far\"", NULL);
    check(world, "GET", "/v1/machines/VM-004", "", 409, "several", "room/VM-004", "far/VM-004", NULL);
    check(world, "GET", "/v1/machines/vm-01", "", 404, "vm-01", "did you mean VM-001", NULL);
    check(world, "GET", "/v1/machines/%00", "", 400, NULL);
    world_free(world);
}

static void test_explain_the_case_study(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001/explain", "", 200, "\"failed\":\"VM-001\"", "\"chosen\":\"VM-005\"",
          "\"similarity\":0.75,", "\"overlap\":0.333333333333", "\"overlap\":0.666666666667", "\"left_out\":0", NULL);
    world_free(world);
}

static void test_an_explanation_lists_as_many_as_are_asked_for(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001/explain?limit=1", "", 200, "\"name\":\"VM-005\"", "\"name\":\"VM-004\"",
          "\"left_out_by_reason\":{\"eligible\":1,\"not similar enough\":1}", "\"left_out\":2", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?limit=0", "", 200, "\"name\":\"VM-002\"", "\"name\":\"VM-003\"",
          "\"left_out_by_reason\":{}", "\"left_out\":0", NULL);
    check(world, "GET", "/v1/machines/VM-001/explain?limit=all", "", 400, "limit is not a number", NULL);
    world_free(world);
}

static void test_a_machine_tells_its_place_in_the_plan(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/machines/VM-001", "", 200, "\"planned_for\":null,\"planned_for_count\":0",
          "\"plan\":{\"best\":{\"name\":\"VM-005\",\"hypervisor\":\"room\",", "\"second\":{\"name\":\"VM-002\",",
          "\"shared_by\":1", NULL);
    check(world, "GET", "/v1/machines/VM-005", "", 200, "\"planned_for\":\"VM-001\",\"planned_for_count\":1",
          "\"plan\":null", NULL);
    world_free(world);
}

static void test_services_before_and_after_a_crash(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/services", "", 200, "{\"services\":[{\"name\":\"VM-001\",\"hypervisor\":\"room\",",
          "\"state\":\"up\",\"served_by\":{\"name\":\"VM-001\",\"hypervisor\":\"room\",",
          "\"diverted\":false,\"since\":null,\"recovery\":null,\"next\":{\"name\":\"VM-005\",", NULL);
    check(world, "POST", "/v1/services", "", 405, "Allow: GET", NULL);
    crash(world);
    check(world, "GET", "/v1/services", "", 200, "{\"services\":[{\"name\":\"VM-001\",\"hypervisor\":\"room\",",
          "\"state\":\"up\",\"served_by\":{\"name\":\"VM-005\",", "\"diverted\":true", NULL);
    check(world, "GET", "/v1/machines/VM-005", "", 200, "\"serves\":\"VM-001\",\"served_by\":null", NULL);
    check(world, "GET", "/v1/machines/VM-001", "", 200, "\"serves\":null,\"served_by\":{\"name\":\"VM-005\",", NULL);
    check(world, "GET", "/metrics", "", 200, "understudy_services_diverted 1\n", NULL);
    world_free(world);
}

static void test_ten_thousand_machines_are_listed(void **state)
{
    struct world *world = world_new(10000);

    (void)state;
    check(world, "GET", "/v1/machines", "", 200, "\"far-9999\"", "\"far-1\"", "\"VM-005\"", NULL);
    check(world, "GET", "/v1/machines/far-10000", "", 404, "did you mean", NULL);
    check(world, "GET", "/v1/services", "", 200, "\"far-9999\"", "\"far-1\"", "\"VM-005\"", NULL);
    world_free(world);
}

/* All of them are served by few copies, and no other request waits for them. */
static void test_many_ask_for_a_long_list_at_once(void **state)
{
    struct world *world = world_new(LISTS_LONG);
    struct client *clients[20];

    (void)state;
    world->is_writing = true; /* and no copy is made before that is done */
    for (size_t i = 0; i < ELEMENTS_OF(clients); i++) {
        clients[i] = client_new(world);
        client_send(clients[i], "GET /v1/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                    i % 2 == 0 ? "machines" : "services");
    }
    client_free(clients[0]); /* one goes before it has an answer */
    check(world, "GET", "/v1/status", "", 200, NULL);
    check(world, "GET", "/v1/plan", "", 503, "the disk of state_dir is silent", NULL);
    for (size_t i = 1; i < ELEMENTS_OF(clients); i++)
        assert_false(client_has(clients[i], "HTTP/1.1"));
    world->is_writing = false;
    for (size_t i = 1; i < ELEMENTS_OF(clients); i++) {
        client_expect_close(clients[i]);
        assert_true(client_has(clients[i], "HTTP/1.1 200 ") && client_has(clients[i], "\"far-999\""));
        assert_true(client_has(clients[i], "\"next_page\":null}"));
        client_free(clients[i]);
    }
    world_free(world);
}

static void test_the_daemon_ends_while_a_long_list_is_made(void **state)
{
    struct world *world = world_new(LISTS_LONG);
    struct client *first = client_new(world), *second = client_new(world);

    (void)state;
    client_send(first, "GET /v1/machines HTTP/1.1\r\nHost: x\r\n\r\n");
    client_send(second, "GET /v1/machines HTTP/1.1\r\nHost: x\r\n\r\n");
    check(world, "GET", "/v1/status", "", 200, NULL);
    api_free(world->api);
    world->api = NULL;
    client_expect_close(first);
    client_expect_close(second);
    client_free(first);
    client_free(second);
    world_free(world);
}

static void test_what_is_not_there_or_not_allowed(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/nothing", "", 404, "\"error\"", NULL);
    check(world, "GET", "/v1/machines/", "", 404, NULL);
    check(world, "GET", "/v1/machines/VM-001/explain/more", "", 404, NULL);
    check(world, "GET", "/v1/recoveries/20000101-000000-1", "", 404, "understudyctl history", NULL);
    check(world, "DELETE", "/v1/machines/VM-001", "", 405, "Allow: GET", NULL);
    check(world, "GET", "/v1/machines/VM-001/drill", "", 405, "Allow: POST", NULL);
    check(world, "GET", "/v1/recoveries?limit=x", "", 400, NULL);
    world_free(world);
}

static void test_recovery_is_history(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/recoveries", "", 200, ":[],\"next_page\":null}", NULL);
    crash(world);
    check(world, "GET", "/v1/recoveries?failed=room%2FVM-001&limit=1", "", 200, "\"failed\":\"VM-001\"",
          "\"outcome\":\"recovered\"", "\"replacement\":\"VM-005\"", "\"cause\":\"crashed\"", "\"detected_at\":\"2026-",
          "\"attempts\":[{\"name\":\"VM-005\"", "\"times_ms\":{\"confirm\":1.0,\"decide\":0.0,\"record\":1.0,", NULL);
    check(world, "GET", "/v1/recoveries?failed=VM-002", "", 200, ":[],\"next_page\":null}", NULL);
    check(world, "GET", "/v1/recoveries?limit=0", "", 200, ":[],\"next_page\":null}", NULL);
    check(world, "GET", "/v1/status", "", 200, "\"recovered\":1", NULL);
    check(world, "GET", "/metrics", "", 200, "text/plain; version=0.0.4",
          "understudy_recoveries_total{outcome=\"recovered\",cause=\"crashed\"} 1",
          "understudy_machines{hypervisor=\"room\",state=\"shut off\",role=\"protected, standby\"} 4",
          "understudy_machines{hypervisor=\"room\",state=\"running\",role=\"protected, standby\"} 1",
          "understudy_hypervisor_up{hypervisor=\"far\"} 1", "understudy_outage_seconds_count{reason=\"failure\"} 1",
          NULL);
    world_free(world);
}

static void test_release(void **state)
{
    struct world *world = world_new_with("recovery: {brake: {minimum: 1}}\n", 0);

    (void)state;
    check(world, "POST", "/v1/release/brake", "", 200, "\r\n\r\n{\"released\":false}", NULL);
    check(world, "GET", "/v1/release/brake", "", 405, "Allow: POST", NULL);
    check(world, "GET", "/v1/status", "", 200, "\"braked\":false", NULL);
    crash_only(world);
    check(world, "GET", "/v1/status", "", 200, "\"braked\":true", "\"under_way\":1", NULL);
    check(world, "GET", "/metrics", "", 200, "\nunderstudy_braked 1\n", NULL);
    check(world, "GET", "/v1/recoveries", "", 200, "\"outcome\":\"selecting\"", NULL);

    check(world, "POST", "/v1/release/brake", "{}", 200, "application/json", "\r\n\r\n{\"released\":true}", NULL);
    pass_settle_time(world);
    check(world, "GET", "/v1/status", "", 200, "\"braked\":false", "\"under_way\":0,\"recovered\":1", NULL);
    check(world, "GET", "/metrics", "", 200, "\nunderstudy_braked 0\n", NULL);
    check(world, "POST", "/v1/release/brake", "", 200, "{\"released\":false}", NULL);
    world_free(world);
}

static void test_orders(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/services/VM-001/recover", "", 409, "\"error\":\"VM-001 is up: room/VM-001 serves it\"",
          NULL);
    check(world, "POST", "/v1/services/VM-001/recover", "{\"ignore_limit\":1}", 400, "neither true nor false", NULL);
    check(world, "POST", "/v1/services/VM-001/recover", "{\"ignore_limits\":true}", 400,
          "\\\"ignore_limits\\\" is unknown; an order has", NULL);
    check(world, "POST", "/v1/services/nosuch/recover", "", 404, "no machine is called nosuch", NULL);
    check(world, "GET", "/v1/services/VM-001/recover", "", 405, "Allow: POST", NULL);
    check(world, "POST", "/v1/services/VM-001/keep", "", 409,
          "\"error\":\"VM-001 serves itself: there is no replacement to be kept\"", NULL);
    check(world, "POST", "/v1/machines/VM-001/clear", "", 200,
          "\r\n\r\n{\"message\":\"VM-001 has neither failed nor is it in quarantine\",\"recovery\":null}", NULL);
    world_free(world);
}

/* Else an order by the bare name would act on the one that is served by a replacement, and say nothing. */
static void test_an_order_for_one_of_two_services_of_a_name_is_refused(void **state)
{
    struct world *world;

    (void)state;
    far_twin = "VM-001";
    world = world_new(1);
    crash(world);
    check(world, "POST", "/v1/services/VM-001/failover", "", 409, "2 services are called VM-001",
          "as HYPERVISOR/MACHINE", NULL);
    check(world, "POST", "/v1/services/far%2FVM-001/keep", "", 409, "serves itself", NULL);
    check(world, "POST", "/v1/services/room%2FVM-005/recover", "", 409, "VM-001 is up: room/VM-005 serves it", NULL);
    world_free(world);
    far_twin = "VM-004";
}

static void test_fencing(void **state)
{
    const struct fence_report report = {
        .call = FENCE_CALL_OFF, .level = 2, .agent = "switch", .answer = "exit status 1", .took_us = 1500};
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/hypervisors/nowhere/fence-test", "", 404, "refused by the test", NULL);
    check(world, "POST", "/v1/hypervisors/room/fence-test", "{\"agent\": \"other\"}", 404, NULL);
    check(world, "POST", "/v1/hypervisors/room/fence-test", "{\"agent\": 1}", 400, "\\\"agent\\\" is no text", NULL);
    check(world, "POST", "/v1/hypervisors/room/fence-test", "{\"x\": \"y\"}", 400, NULL);
    check(world, "POST", "/v1/hypervisors/room/fence-test", "", 200, "\"host\":\"room\"", "\"agent\":\"switch\"",
          "\"succeeded\":true,\"answer\":\"on\"", NULL);
    check(world, "POST", "/v1/hypervisors/room/fence-test", "{\"agent\": \"switch\"}", 200, "\"took_ms\":1.5", NULL);
    check(world, "POST", "/v1/hooks/test", "{\"hook\": \"other\"}", 404, "refused by the test", NULL);
    check(world, "POST", "/v1/hooks/test", "{\"hook\": 1}", 400, "\\\"hook\\\" is no text", NULL);
    check(world, "POST", "/v1/hooks/test", "{\"x\": \"y\"}", 400, NULL);
    check(world, "POST", "/v1/hooks/test", "", 200,
          "{\"hooks\":[{\"hook\":\"50-mail\",\"took_ms\":1.5,\"succeeded\":true,\"answer\":null},", NULL);
    check(world, "POST", "/v1/hooks/test", "{\"hook\": \"60-chat\"}", 200,
          "[{\"hook\":\"60-chat\",\"took_ms\":2.5,\"succeeded\":false,\"answer\":\"exit status 22\"}]", NULL);
    check(world, "GET", "/v1/fencing", "", 200, "[]", NULL);
    coordinator_handle_fence_report(world->coordinator, "room", &report, world->now);
    check(world, "GET", "/v1/fencing", "", 200, "\"host\":\"room\",\"attempt\":1,\"level\":2,\"action\":\"off\"",
          "\"succeeded\":false,\"answer\":\"exit status 1\"", NULL);
    check(world, "GET", "/v1/fencing?host=nowhere", "", 200, "[]", NULL);
    check(world, "GET", "/v1/fencing?host=room", "", 200, "\"agent\":\"switch\"", NULL);
    world_free(world);
}

static void test_fenced(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/hypervisors/room/fenced", "", 405, "Allow: POST", NULL);
    check(world, "POST", "/v1/hypervisors/room/fenced", "", 403, "refused by the test", "--yes", NULL);
    check(world, "POST", "/v1/hypervisors/room/fenced", "nonsense", 400, NULL);
    check(world, "POST", "/v1/hypervisors/nowhere/fenced", "{\"confirmed\": true}", 404, NULL);
    check(world, "POST", "/v1/hypervisors/room/fenced", "{\"confirmed\": true}", 409, NULL); /* it is there */
    check(world, "GET", "/v1/status", "", 200, "\"state\":\"reachable\",\"missing_since\":null", NULL);
    coordinator_handle_disconnected(world->coordinator, "room", "the cable is out", world->now);
    settle(world, 0);
    check(world, "GET", "/v1/status", "", 200, "\"state\":\"missing\",\"missing_since\":\"", NULL);
    check(world, "POST", "/v1/hypervisors/room/fenced", "{\"confirmed\": true}", 200, "\"fenced\":true", NULL);
    check(world, "GET", "/v1/status", "", 200, "\"state\":\"fenced\"", "\"fenced_by_hand\":true", NULL);
    check(world, "GET", "/metrics", "", 200, "understudy_host_state{hypervisor=\"room\",state=\"fenced\"} 1",
          "understudy_host_state{hypervisor=\"room\",state=\"reachable\"} 0", NULL);
    world_free(world);
}

static void test_reload(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/reload", "{}", 200, "{\"reloaded\":true,\"needs_restart\":null}", NULL);
    world->waiting = "state_dir, api.socket";
    check(world, "POST", "/v1/reload", "", 200, "\"needs_restart\":\"state_dir, api.socket\"}", NULL);
    world->reload_problem = "x.yaml:3:1: error: unknown key";
    check(world, "POST", "/v1/reload", "", 409, "\"error\":\"x.yaml:3:1: error: unknown key\"", "--check", NULL);
    check(world, "GET", "/v1/reload", "", 405, "Allow: POST", NULL);
    world_free(world);
}

static void test_older_recoveries_that_cannot_be_read_are_an_error(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/recoveries?before=20000101-000000-1", "", 200, ":[],\"next_page\":null}", NULL);
    world->history_error = -EIO;
    check(world, "GET", "/v1/recoveries", "", 200, ":[],\"next_page\":null}", NULL);
    check(world, "GET", "/v1/recoveries?before=20000101-000000-1", "", 503, "the disk is slow", NULL);
    check(world, "GET", "/v1/recoveries/20000101-000000-1", "", 503, "the disk is slow", NULL);
    world_free(world);
}

/* What is held and what is under way is not known yet. */
static void test_until_the_store_is_read_nothing_can_be_ordered(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    world->why_not_yet = "the disk is slow";
    check(world, "GET", "/v1/status", "", 200, NULL);
    check(world, "POST", "/v1/reload", "{}", 503, "\"error\":\"the disk is slow\"", "ask again", NULL);
    check(world, "POST", "/v1/holds", "{}", 503, "the disk is slow", NULL);
    world->why_not_yet = NULL;
    check(world, "POST", "/v1/reload", "{}", 200, NULL);
    world_free(world);
}

static void test_a_configuration_is_checked_against_the_machines(void **state)
{
    static const char config[] = "hypervisors: [{name: room, uri: 'test:///default'}]\n"
                                 "pool: {protect: ['VM-*'], standby: ['nosuch-*']}\n";
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/check", config, 200, "[{\"kind\":\"pattern-unmatched\"",
          "\"subject\":\"pool.standby: nosuch-*\"", "correct or remove it", NULL);
    check(world, "POST", "/v1/check", "hypervisors: no\n", 400, "understudyd --check lists them", NULL);
    check(world, "POST", "/v1/check", "", 400, NULL);
    check(world, "GET", "/v1/check", "", 405, "Allow: POST", NULL);
    world_free(world);
}

static void check_tags(const struct world *world, const struct feature_texts *texts, const char *expected)
{
    _cleanup_(freep) char *said = NULL;
    struct feature_text feature;
    size_t size = 0;
    FILE *out = open_memstream(&said, &size);

    (void)world;
    for (size_t place = 0; feature_texts_next(texts, &place, &feature);)
        fprintf(out, "%s/%s ", feature.kind, feature.value != NULL ? feature.value : "");
    fclose(out);
    assert_string_equal(said, expected);
}

static void test_tags_are_written(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/machines/VM-001/tag",
          "{\"add\": [\"database/mysql\", \"data/\"], \"role\": \"standby\", \"priority\": -4}", 200,
          "\"machine\":\"VM-001\"", NULL);
    check_tags(world, &world->tags.added, "database/mysql data/ ");
    check_tags(world, &world->tags.removed, "");
    assert_true(world->tags.sets_role && world->tags.roles == ROLE_STANDBY);
    assert_true(world->tags.sets_priority && world->tags.has_priority && world->tags.priority == -4);

    check(world, "POST", "/v1/machines/VM-001/tag", "{\"remove\": [\"language\"], \"role\": null}", 200, NULL);
    check_tags(world, &world->tags.removed, "language/nodejs ");
    assert_true(world->tags.sets_role && world->tags.roles == 0 && !world->tags.sets_priority);

    check(world, "POST", "/v1/machines/VM-004/tag", "{\"from\": \"VM-001\"}", 200, NULL);
    check_tags(world, &world->tags.added, "language/nodejs database/mysql webserver/nginx ");
    check_tags(world, &world->tags.removed, "language/ database/ webserver/ ");

    /* On which ports the other one was seen to listen is not declared of this one. */
    check(world, "POST", "/v1/machines/VM-004/tag", "{\"from\": \"VM-003\"}", 200, NULL);
    check_tags(world, &world->tags.added, "database/postgresql ");
    check_tags(world, &world->tags.removed, "database/ ");

    world->tag_error = -EIO;
    check(world, "POST", "/v1/machines/VM-001/tag", "{\"add\": [\"database/mysql\"]}", 500, "the hypervisor says no",
          NULL);
    metadata_tags_done(&world->tags);
    world_free(world);
}

/* All that is known of the machine, whatever its source. */
static void test_a_template_is_written(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/machines/VM-001/template", "{\"name\": \"web\", \"max\": 3}", 200,
          "{\"name\":\"web\",\"machine\":\"VM-001\",\"directory\":\"/etc/templates.d\",\"text\":\"<domain/>\\n\","
          "\"disks\":[{\"target\":\"vda\",\"base\":\"/images/base.qcow2\",\"given\":false}],\"warnings\":[\"it is "
          "old\"]}",
          NULL);
    check_tags(world, &world->drafted_features, "language/nodejs database/mysql webserver/nginx ");
    assert_int_equal(world->drafted_max, 3);
    check(world, "POST", "/v1/machines/VM-001/template",
          "{\"name\": \"web\", \"bases\": {\"vdb\": \"/images/other.qcow2\"}}", 200,
          "\"disks\":[{\"target\":\"vdb\",\"base\":\"/images/other.qcow2\",\"given\":true}]", NULL);
    assert_int_equal(world->drafted_max, 1);
    /* On which ports it listens is no resource. */
    check(world, "POST", "/v1/machines/VM-003/template", "{\"name\": \"web\"}", 200, NULL);
    check_tags(world, &world->drafted_features, "database/postgresql ");
    world->draft_error = -EBUSY;
    check(world, "POST", "/v1/machines/VM-001/template", "{\"name\": \"web\"}", 409,
          "{\"error\":\"it has no base image\",\"hint\":\"copy it\"}", NULL);
    /* A thread may still write the draft. */
    world->draft_error = -ETIMEDOUT;
    check(world, "POST", "/v1/machines/VM-001/template", "{\"name\": \"web\"}", 504,
          "{\"error\":\"it has no base image\"}", NULL);
    feature_texts_done(&world->drafted_features);
    world_free(world);
}

static void test_templates_that_cannot_be(void **state)
{
    static const struct {
        const char *body, *said;
    } cases[] = {
        {"", "\\\"name\\\" is missing"},
        {"{\"max\": 1}", "\\\"name\\\" is missing"},
        {"{\"name\": \"../web\"}", "is no name of a template"},
        {"{\"name\": 1}", "is no name of a template"},
        {"{\"name\": \"web\", \"max\": 0}", "from 1 to 64"},
        {"{\"name\": \"web\", \"max\": 65}", "from 1 to 64"},
        {"{\"name\": \"web\", \"bases\": []}", "is no object of paths"},
        {"{\"name\": \"web\", \"bases\": {\"vda\": \"base.qcow2\"}}", "is no object of paths"},
        {"{\"name\": \"web\", \"bases\": {\"vda\": 1}}", "is no object of paths"},
        {"{\"owner\": \"me\"}", "\\\"owner\\\" is unknown; a template"},
    };
    struct world *world = world_new(0);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        check(world, "POST", "/v1/machines/VM-001/template", cases[i].body, 400, cases[i].said, NULL);
    check(world, "POST", "/v1/machines/VM-404/template", "{\"name\": \"web\"}", 404, NULL);
    assert_string_equal(world->drafted.uuid, "");
    world_free(world);
}

static void test_templates_are_checked(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/templates/check", "", 200,
          "{\"directory\":\"/etc/templates.d\",\"findings\":["
          "{\"file\":\"/etc/templates.d/db.xml\",\"line\":7,\"message\":\"no memory in it\",\"used\":false},"
          "{\"file\":\"/etc/templates.d/web.xml\",\"line\":null,\"message\":\"a role too many\",\"used\":true}],"
          "\"templates\":[{\"template\":\"web\",\"hypervisor\":\"near\",\"good\":true,\"message\":null},"
          "{\"template\":\"web\",\"hypervisor\":\"far\",\"good\":false,\"message\":\"no pool\"}]}",
          NULL);
    world_free(world);
}

static void test_tags_that_cannot_be(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *said;
    } cases[] = {
        {"", 400, "no JSON object"},
        {"{}", 400, "nothing is to be changed"},
        {"{\"add\": \"database/mysql\"}", 400, "is no array of texts"},
        {"{\"add\": [1]}", 400, "is no array of texts"},
        {"{\"add\": [\"mysql\"]}", 400, "is no feature"},
        {"{\"add\": [\"data base/mysql\"]}", 400, "is no feature"},
        {"{\"add\": [\"database/my\\u0007sql\"]}", 400, "is no feature"},
        {"{\"remove\": [\"data base\"]}", 400, "neither a feature"},
        {"{\"remove\": [\"database/mongodb\"]}", 409, "does not declare database/mongodb"},
        {"{\"role\": \"boss\"}", 400, "made of protected and standby"},
        {"{\"priority\": 1.5}", 400, "whole number"},
        {"{\"priority\": 99999999999}", 400, "whole number"},
        {"{\"from\": \"VM-404\"}", 404, "no machine is called"},
        {"{\"owner\": \"me\"}", 400, "\\\"owner\\\" is unknown; tags are"},
    };
    struct world *world = world_new(0);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        check(world, "POST", "/v1/machines/VM-001/tag", cases[i].body, cases[i].status, cases[i].said, NULL);
    check(world, "POST", "/v1/machines/VM-404/tag", "{\"add\": [\"a/b\"]}", 404, NULL);
    assert_string_equal(world->tagged.uuid, "");
    check(world, "POST", "/v1/machines/VM-001/refresh", "", 409, "guest agent", NULL);
    world_free(world);
}

static void test_drill_refused(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    world->drill_refusal = -EPERM;
    check(world, "POST", "/v1/machines/VM-001/drill", "", 403, "refused by the test", "--yes", NULL);
    world->drill_refusal = -EBUSY;
    check(world, "POST", "/v1/machines/VM-001/drill", "{\"confirmed\": true}", 409, "refused by the test", NULL);
    assert_true(world->drill_confirmed);
    assert_false(world->drill_anyway);
    check(world, "POST", "/v1/machines/VM-001/drill", "{\"anyway\": true}", 409, "refused by the test", NULL);
    assert_true(world->drill_anyway);
    check(world, "POST", "/v1/machines/VM-001/drill", "nonsense", 400, NULL);
    check(world, "POST", "/v1/machines/VM-001/drill", "{\"confirmed\": 1}", 400, "confirmed", NULL);
    world_free(world);
}

/* Asks for a drill and waits until the daemon was asked. */
static struct client *begin_drill(struct world *world)
{
    struct client *client = client_new(world);

    client_send(client, "POST /v1/machines/VM-001/drill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (world->drill_done == NULL)
        turn(world);
    return client;
}

static void test_drill_is_answered_later(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    assert_false(world->drill_confirmed);
    world->drill_done(world->drill_token, 0, "it is down");
    client_expect(client, "{\"machine\":\"VM-001\",\"message\":\"it is down\"}");
    /* The connection lives on. */
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(client, "[]");
    client_free(client);
    world_free(world);
}

static void test_drill_fails_later(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    world->drill_done(world->drill_token, -ETIMEDOUT, "the hypervisor did not answer");
    client_expect(client, "HTTP/1.1 504 ");
    client_expect(client, "the hypervisor did not answer");
    client_free(client);
    world_free(world);
}

static void test_drill_outlives_its_client(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    client_free(client);
    /* The server has seen the end of that connection before it answers on a newer one. */
    check(world, "GET", "/v1/status", "", 200, NULL);
    world->drill_done(world->drill_token, 0, "it is down");
    check(world, "GET", "/v1/status", "", 200, NULL);
    world_free(world);
}

static void test_drill_outlives_the_api(void **state)
{
    struct world *world = world_new(0);
    struct client *client = begin_drill(world);

    (void)state;
    api_free(world->api);
    world->api = NULL;
    world->drill_done(world->drill_token, 0, "it is down");
    client_expect_close(client);
    client_free(client);
    world_free(world);
}

static void test_limits(void **state)
{
    struct world *world = world_new(0);
    static char many[600000];
    struct client *client = client_new(world);

    (void)state;
    memset(many, 'x', sizeof(many) - 1);
    client_send(client, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Long: %.9000s\r\n\r\n", many);
    client_expect_close(client);
    assert_false(client_has(client, "HTTP/1.1 200 "));
    client_free(client);

    client = client_new(world);
    client_send(client, "POST /v1/machines/VM-001/drill HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                strlen(many), many);
    client_expect_close(client);
    assert_null(world->drill_done);
    client_free(client);
    world_free(world);
}

/* evhttp answers these by itself, and did so with a page in HTML. */
static void test_requests_that_cannot_be_read_are_refused_in_json(void **state)
{
    static const struct {
        const char *request, *status, *error;
    } cases[] = {
        {"nonsense\r\n\r\n", "HTTP/1.1 400 ", "no HTTP that the daemon can read"},
        {"GET / HTTP/1.1\r\nbroken\r\n\r\n", "HTTP/1.1 400 ", "no HTTP that the daemon can read"},
        {"GET / HTTP/9.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 ", "no HTTP that the daemon can read"},
        {"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 ", "no HTTP that the daemon can read"},
        {"BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 ", "there is no such method"},
        {"POST /v1/holds HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", "HTTP/1.1 413 ",
         "the body of the request is too large"},
        {"POST /v1/holds HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 ",
         "no HTTP that the daemon can read"},
    };
    struct world *world = world_new(0);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct client *client = client_new(world);
        const char *text, *body;
        unsigned length;

        client_send(client, "%s", cases[i].request);
        client_expect_close(client);
        text = client_text(client);
        assert_ptr_equal(strstr(text, cases[i].status), text);
        assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
        assert_null(strstr(text, "<"));
        body = strstr(text, "\r\n\r\n{\"error\":\"");
        assert_non_null(body);
        assert_non_null(strstr(body, cases[i].error));
        assert_int_equal(sscanf(strstr(text, "Content-Length: "), "Content-Length: %u", &length), 1);
        assert_int_equal(length, strlen(body + 4));
        client_free(client);
    }
    world_free(world);
}

/* The body stood where the next answer was expected. */
static void test_answer_to_head_has_no_body(void **state)
{
    struct world *world = world_new(0);
    struct client *client = client_new(world);

    (void)state;
    client_send(client, "HEAD /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(client, "HTTP/1.1 404 ");
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client_expect_close(client);
    assert_true(client_has(client, "\r\n\r\nHTTP/1.1 200 "));
    client_free(client);
    world_free(world);
}

/* A request that is answered when the test says so: returns what it is answered by. */
static void *begin_drill_of(struct client *client)
{
    struct world *world = client->world;

    world->drill_done = NULL;
    client_send(client, "POST /v1/machines/VM-002/drill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (world->drill_done == NULL)
        turn(world);
    return world->drill_token;
}

static void test_connections_are_bounded(void **state)
{
    enum { WAITING = 5, ASKING = GATE_CONNECTIONS_MAX - 1 };
    struct world *world = world_new(0);
    struct client *asking[ASKING], *last, *late[WAITING];
    void *drills[ASKING];

    (void)state;
    for (size_t i = 0; i < ASKING; i++) {
        asking[i] = client_new(world);
        drills[i] = begin_drill_of(asking[i]);
    }
    last = client_new(world);
    client_send(last, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(last, ": following");
    for (size_t i = 0; i < WAITING; i++) {
        late[i] = client_new(world);
        client_send(late[i], "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    /* As long as the first wait for their answers, only they are served. */
    world->drill_done(drills[0], 0, "it is down");
    client_expect(asking[0], "it is down");
    for (size_t i = 1; i < ASKING; i++) {
        assert_false(asking[i]->is_closed);
        world->drill_done(drills[i], 0, "it is down");
        client_expect(asking[i], "it is down");
    }
    for (size_t i = 0; i < WAITING; i++) {
        client_expect(late[i], "[]");
        client_free(late[i]);
    }
    assert_false(last->is_closed);
    client_free(last);
    for (size_t i = 0; i < ASKING; i++)
        client_free(asking[i]);
    world_free(world);
}

/* 200 of them kept a command waiting for 30 s. */
static void test_idle_clients_delay_no_request(void **state)
{
    enum { IDLE = 200 };
    struct world *world = world_new(0);
    struct client *idle[IDLE], *follower = client_new(world), *asking = client_new(world), *known = client_new(world);
    void *drill;

    (void)state;
    client_send(follower, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(follower, ": following");
    drill = begin_drill_of(asking);
    for (size_t i = 0; i < IDLE; i++) {
        idle[i] = client_new(world);
        /* One that asks again and again is not the most silent. */
        client_send(known, "GET /v1/recoveries?failed=VM-001 HTTP/1.1\r\nHost: x\r\n\r\n");
        client_expect(known, "[]");
        evbuffer_drain(known->received, evbuffer_get_length(known->received));
    }
    check(world, "GET", "/v1/status", "", 200, "\"ready\":true", NULL);
    client_expect_close(idle[0]);
    assert_false(idle[IDLE - 1]->is_closed);
    assert_false(known->is_closed);
    assert_false(follower->is_closed);
    assert_false(asking->is_closed);
    world->drill_done(drill, 0, "it is down");
    client_expect(asking, "it is down");
    for (size_t i = 0; i < IDLE; i++)
        client_free(idle[i]);
    client_free(follower);
    client_free(asking);
    client_free(known);
    world_free(world);
}

/* Takes every descriptor that is left; returns how many. */
static size_t take_descriptors(int *taken, size_t max)
{
    size_t n = 0;

    while (n < max && (taken[n] = dup(STDERR_FILENO)) >= 0)
        n++;
    assert_true(n < max);
    return n;
}

static void on_enough(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    *(bool *)context = true;
}

/* accept() fails with EMFILE while a client waits: libevent calls the error callback with evhttp's pointer. */
static void test_no_descriptor_left_to_accept_with(void **state)
{
    enum { LIMIT = 64, TURNS_MAX = 40 };
    static const struct timeval some_time = {.tv_usec = 450000};
    struct rlimit before, low = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    struct world *world = world_new(0);
    struct client *client = client_new(world);
    struct event *enough;
    bool is_over = false;
    int taken[LIMIT];
    size_t n, turns = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    n = take_descriptors(taken, LIMIT);

    /* The listener stays readable all the time, and does not keep the loop turning. */
    enough = evtimer_new(world->base, on_enough, &is_over);
    event_add(enough, &some_time);
    for (; !is_over; turns++)
        turn(world);
    assert_true(turns < TURNS_MAX);
    assert_false(client_has(client, "HTTP"));
    assert_false(client->is_closed);

    /* One is enough. */
    close(taken[--n]);
    client_expect(client, "[]");
    while (n > 0)
        close(taken[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    event_free(enough);
    client_free(client);
    world_free(world);
}

/* They filled the bound for 30 s. */
static void test_clients_that_do_not_read_their_answers_make_room(void **state)
{
    struct world *world = world_new(600);
    struct client *stuck[GATE_CONNECTIONS_MAX], *follower = client_new(world);

    (void)state;
    client_send(follower, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(follower, ": following");
    for (size_t i = 0; i < ELEMENTS_OF(stuck); i++) {
        stuck[i] = client_new(world);
        bufferevent_disable(stuck[i]->transport, EV_READ);
        client_send(stuck[i], "GET /v1/machines HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    check(world, "GET", "/v1/status", "", 200, "\"ready\":true", NULL);
    assert_false(follower->is_closed);
    for (size_t i = 0; i < ELEMENTS_OF(stuck); i++)
        client_free(stuck[i]);
    client_free(follower);
    world_free(world);
}

static void test_idle_client_makes_room_when_no_descriptor_is_left(void **state)
{
    enum { LIMIT = 64 };
    struct rlimit before, low = {.rlim_cur = LIMIT};
    struct world *world = world_new(0);
    struct client *idle = client_new(world), *later, *client;
    int taken[LIMIT];
    size_t n;

    (void)state;
    client_send(idle, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(idle, "[]");
    later = client_new(world);
    client_send(later, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(later, "[]");
    client = client_new(world);
    client_send(client, "GET /v1/recoveries HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    n = take_descriptors(taken, LIMIT);
    client_expect(client, "[]");
    client_expect_close(idle);
    assert_false(later->is_closed);
    while (n > 0)
        close(taken[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client_free(idle);
    client_free(later);
    client_free(client);
    world_free(world);
}

static void test_holds(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/v1/holds", "", 200, ":[],\"next_page\":null}", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"room\",\"reason\":\"new disks\",\"for_ms\":7200000}", 200,
          "{\"what\":\"room\",\"scope\":\"host\",\"hypervisor\":\"room\",\"uuid\":null,\"reason\":\"new disks\"", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"VM-001\"}", 200, "\"scope\":\"machine\"", "\"until\":null", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\"}", 200, "\"what\":\"all\",\"scope\":\"all\"", NULL);
    check(world, "GET", "/v1/holds", "", 200, "\"what\":\"room\"", "\"what\":\"VM-001\"", "\"what\":\"all\"", NULL);
    check(world, "GET", "/v1/status", "", 200, "\"holds\":[{\"what\":\"room\"", NULL);
    check(world, "GET", "/v1/services", "", 200, "\"state\":\"held\"", NULL);
    check(world, "GET", "/v1/machines/VM-001", "", 200, "\"hold\":{\"what\":\"VM-001\"", NULL);
    check(world, "GET", "/metrics", "", 200, "understudy_holds{scope=\"machine\"} 1", NULL);

    check(world, "POST", "/v1/release/all", "", 200, "\r\n\r\n{\"released\":true}", NULL);
    check(world, "GET", "/v1/holds", "", 200, "\"what\":\"room\"", "\"what\":\"VM-001\"", NULL);
    check(world, "POST", "/v1/release/host:room", "", 200, "\"released\":true", NULL);
    check(world, "POST", "/v1/release/machine:VM-001", "", 200, "\"released\":true", NULL);
    check(world, "GET", "/v1/holds", "", 200, ":[],\"next_page\":null}", NULL);
    world_free(world);
}

static void test_holds_that_are_refused(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "POST", "/v1/holds", "{\"target\":\"VM-01\"}", 404, "neither a host nor a machine is called VM-01",
          "did you mean VM-001", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"rom\"}", 404, "did you mean room?", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"host:VM-001\"}", 404, "no host is called VM-001", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"machine:room\"}", 404, "no machine is called room", NULL);
    check(world, "POST", "/v1/holds", "", 400, "no JSON object", NULL);
    check(world, "POST", "/v1/holds", "{}", 400, "does not say what is to be held", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\",\"for_ms\":0}", 400, "for_ms", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\",\"for_ms\":\"2h\"}", 400, "for_ms", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\",\"reason\":\"two\\nlines\"}", 400, "control character",
          NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\",\"evacuate\":1}", 400,
          "\\\"evacuate\\\" is neither true nor false", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"VM-001\",\"evacuate\":true}", 400, "only a host can be evacuated",
          NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"room\",\"evacuate\":true}", 403, "VM-001", "virsh migrate",
          "--yes", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"all\",\"why\":\"so\"}", 400, "\\\"why\\\" is unknown; a hold has",
          NULL);
    check(world, "GET", "/v1/holds", "", 200, ":[],\"next_page\":null}", NULL);

    check(world, "POST", "/v1/release/VM-001", "", 409, "VM-001 is not held\"", "understudyctl holds", NULL);
    check(world, "POST", "/v1/holds", "{\"target\":\"room\"}", 200, "\"what\":\"room\"", NULL);
    check(world, "POST", "/v1/release/VM-001", "", 409, "VM-001 is not held itself", "understudyctl release room",
          NULL);
    check(world, "POST", "/v1/release/all", "", 409, "everything is not held", NULL);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_machines_by_every_name),
        cmocka_unit_test(test_explain_the_case_study),
        cmocka_unit_test(test_an_explanation_lists_as_many_as_are_asked_for),
        cmocka_unit_test(test_a_machine_tells_its_place_in_the_plan),
        cmocka_unit_test(test_services_before_and_after_a_crash),
        cmocka_unit_test(test_ten_thousand_machines_are_listed),
        cmocka_unit_test(test_many_ask_for_a_long_list_at_once),
        cmocka_unit_test(test_the_daemon_ends_while_a_long_list_is_made),
        cmocka_unit_test(test_what_is_not_there_or_not_allowed),
        cmocka_unit_test(test_recovery_is_history),
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_holds_that_are_refused),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_an_order_for_one_of_two_services_of_a_name_is_refused),
        cmocka_unit_test(test_fenced),
        cmocka_unit_test(test_fencing),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_older_recoveries_that_cannot_be_read_are_an_error),
        cmocka_unit_test(test_until_the_store_is_read_nothing_can_be_ordered),
        cmocka_unit_test(test_a_configuration_is_checked_against_the_machines),
        cmocka_unit_test(test_tags_are_written),
        cmocka_unit_test(test_tags_that_cannot_be),
        cmocka_unit_test(test_a_template_is_written),
        cmocka_unit_test(test_templates_that_cannot_be),
        cmocka_unit_test(test_templates_are_checked),
        cmocka_unit_test(test_drill_refused),
        cmocka_unit_test(test_drill_is_answered_later),
        cmocka_unit_test(test_drill_fails_later),
        cmocka_unit_test(test_drill_outlives_its_client),
        cmocka_unit_test(test_drill_outlives_the_api),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_requests_that_cannot_be_read_are_refused_in_json),
        cmocka_unit_test(test_answer_to_head_has_no_body),
        cmocka_unit_test(test_connections_are_bounded),
        cmocka_unit_test(test_idle_clients_delay_no_request),
        cmocka_unit_test(test_clients_that_do_not_read_their_answers_make_room),
        cmocka_unit_test(test_idle_client_makes_room_when_no_descriptor_is_left),
        cmocka_unit_test(test_no_descriptor_left_to_accept_with),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
