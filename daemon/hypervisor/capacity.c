/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A cache by source, a queue of questions without duplicates, and one job at a time. */
#include "hypervisor/capacity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(obj) ((obj)->lost = true)
#include <uthash.h>

#include "base/moment.h"
#include "base/text.h"
#include "hypervisor/connection.h"
#include "hypervisor/storage.h"
#include "service/clock.h"

#define KNOWN_FOR_US   (3600 * USEC_PER_SEC) /* disks grow, rarely */
#define UNKNOWN_FOR_US (600 * USEC_PER_SEC)

struct answer {
    char *source;
    struct disk_facts facts;
    int64_t asked_us;
    bool lost; /* uthash had no memory to add it */
    UT_hash_handle hh;
};

struct question {
    char *key; /* UUID and source */
    struct machine_ref machine;
    struct disk disk;
    bool lost;
    UT_hash_handle hh;
};

struct capacity {
    struct workers *workers;
    bool is_local;
    unsigned long link; /* the connection to ask on; 0: none */
    int64_t timeout_us;
    struct capacity_callbacks callbacks;
    void *context;
    struct answer *answers;
    struct question *questions;
    bool is_asking;
    bool has_news; /* for the callback `recognised` */
};

struct capacity_job {
    struct job job;
    struct capacity *capacity;
    struct question *question;
    unsigned long link;
    struct disk_facts facts;
};

static void question_free(struct question *question)
{
    if (question == NULL)
        return;
    free(question->key);
    disk_done(&question->disk);
    free(question);
}
DEFINE_CLEANUP(struct question, question_free);

static bool is_fresh(const struct answer *answer)
{
    return answer != NULL &&
           clock_now().mono_us - answer->asked_us <
               (answer->facts.capacity_bytes != 0 || answer->facts.has_chain ? KNOWN_FOR_US : UNKNOWN_FOR_US);
}

static struct answer *find_answer(const struct capacity *capacity, const char *source)
{
    struct answer *answer;

    HASH_FIND_STR(capacity->answers, source, answer);
    return answer;
}

/* Two machines are told apart, or not, by what is known of the one and not of the other. */
static bool tells_more(const struct disk_facts *now, const struct disk_facts *before)
{
    return !text_equal(now->identity, before->identity) || now->is_networked != before->is_networked ||
           now->is_missing != before->is_missing || now->n_images != before->n_images;
}

static struct answer *add_answer(struct capacity *capacity, const char *source)
{
    struct answer *answer = calloc(1, sizeof(*answer));

    if (answer == NULL)
        return NULL;
    answer->source = strdup(source);
    if (answer->source != NULL)
        HASH_ADD_KEYPTR(hh, capacity->answers, answer->source, strlen(answer->source), answer);
    if (answer->source != NULL && !answer->lost)
        return answer;
    free(answer->source);
    free(answer);
    return NULL;
}

/* Takes the facts. Out of memory: it will be asked again. */
static void remember(struct capacity *capacity, const char *source, struct disk_facts *facts)
{
    struct answer *answer = find_answer(capacity, source);

    if (answer == NULL)
        answer = add_answer(capacity, source);
    if (answer == NULL)
        return;
    capacity->has_news |= tells_more(facts, &answer->facts);
    disk_facts_done(&answer->facts);
    answer->facts = *facts;
    *facts = (struct disk_facts){0};
    answer->asked_us = clock_now().mono_us;
}

static void ask(struct capacity *capacity, const char *hypervisor, const char *uuid, const struct disk *disk)
{
    _cleanup_(question_freep) struct question *question = calloc(1, sizeof(*question));
    struct question *same;

    if (question == NULL)
        return;
    if (asprintf(&question->key, "%s %s", uuid, disk->source) < 0) {
        question->key = NULL;
        return;
    }
    HASH_FIND_STR(capacity->questions, question->key, same);
    if (same != NULL)
        return;
    snprintf(question->machine.hypervisor, sizeof(question->machine.hypervisor), "%s", hypervisor);
    snprintf(question->machine.uuid, sizeof(question->machine.uuid), "%s", uuid);
    if (disk_copy(disk, &question->disk) < 0)
        return;
    HASH_ADD_KEYPTR(hh, capacity->questions, question->key, strlen(question->key), question);
    if (!question->lost)
        steal_pointer(&question);
}

static void run_capacity(struct job *job)
{
    struct capacity_job *lookup = (struct capacity_job *)job;
    virConnectPtr connection = connection_acquire(lookup->link);

    if (connection == NULL)
        return;
    storage_look_up(connection, lookup->capacity->is_local, lookup->question->machine.uuid, &lookup->question->disk,
                    &lookup->facts);
    virConnectClose(connection);
}

static void free_capacity_job(struct job *job)
{
    struct capacity_job *lookup = (struct capacity_job *)job;

    question_free(lookup->question);
    disk_facts_done(&lookup->facts);
    free(lookup);
}

static void ask_next(struct capacity *capacity);

static void report_capacity(struct job *job, enum job_report report)
{
    struct capacity_job *lookup = (struct capacity_job *)job;
    struct capacity *capacity = lookup->capacity;
    const struct question *question = lookup->question;

    if (report == JOB_OVERDUE) {
        capacity->callbacks.overdue(capacity->context, "disk capacity", job_age_us(job));
        return;
    }
    if (report != JOB_NEVER_RAN) {
        uint64_t bytes = lookup->facts.capacity_bytes;

        remember(capacity, question->disk.source, &lookup->facts);
        if (question->disk.writable && bytes != 0)
            capacity->callbacks.found(capacity->context, &question->machine, question->disk.source, bytes);
    }
    if (lookup->link == capacity->link) {
        capacity->is_asking = false;
        ask_next(capacity);
    }
}

static const struct job_type capacity_type = {
    .class = JOB_SPARE,
    .run = run_capacity,
    .report = report_capacity,
    .free = free_capacity_job,
};

/* Takes the question. False: nothing was started. */
static bool start(struct capacity *capacity, struct question *question)
{
    struct capacity_job *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL) {
        question_free(question);
        return false;
    }
    lookup->job.type = &capacity_type;
    lookup->capacity = capacity;
    lookup->question = question;
    lookup->link = capacity->link;
    if (workers_submit(capacity->workers, &lookup->job, capacity->timeout_us) < 0) {
        free_capacity_job(&lookup->job);
        return false;
    }
    return true;
}

static void ask_next(struct capacity *capacity)
{
    while (!capacity->is_asking && capacity->questions != NULL) {
        struct question *question = capacity->questions;
        const struct answer *answer = find_answer(capacity, question->disk.source);

        HASH_DEL(capacity->questions, question);
        if (is_fresh(answer)) { /* another machine has the same disk */
            if (question->disk.writable && answer->facts.capacity_bytes != 0)
                capacity->callbacks.found(capacity->context, &question->machine, question->disk.source,
                                          answer->facts.capacity_bytes);
            question_free(question);
        } else {
            capacity->is_asking = start(capacity, question);
        }
    }
    if (capacity->is_asking || !capacity->has_news)
        return;
    capacity->has_news = false;
    capacity->callbacks.recognised(capacity->context);
}

int capacity_new(struct workers *workers, bool is_local, const struct capacity_callbacks *callbacks, void *context,
                 struct capacity **ret)
{
    struct capacity *capacity = calloc(1, sizeof(*capacity));

    if (capacity == NULL)
        return -ENOMEM;
    capacity->workers = workers;
    capacity->is_local = is_local;
    capacity->callbacks = *callbacks;
    capacity->context = context;
    *ret = capacity;
    return 0;
}

/* What has neither a path nor a volume is known by its source alone; an overlay that is to be made is not there yet. */
static bool is_asked_for(const struct domain_description *description, const struct disk *disk)
{
    return (disk->writable && description->template == NULL) || disk->source[0] == '/' || disk_pool(disk) != NULL;
}

/* Out of memory: as the domain tells it. */
static void fill(struct domain_description *description, uint32_t place, const struct disk_facts *facts)
{
    struct disk *disk = &description->disks[place];

    if (disk->writable)
        disk->capacity_bytes = facts->capacity_bytes;
    else if (disk->is_backing && description->template != NULL && disk[-1].capacity_bytes == 0)
        disk[-1].capacity_bytes = facts->capacity_bytes; /* an overlay is made as large as its base image */
    disk->is_networked = facts->is_networked;
    disk->is_missing = facts->is_missing;
    if (facts->identity != NULL)
        (void)!disk_set_identity(disk, facts->identity);
    if (disk->is_backing || disk->has_chain || domain_description_chain_length(description, place) > 0)
        return;
    if (domain_description_set_chain(description, place, facts->images, facts->n_images) == 0)
        description->disks[place].has_chain = facts->has_chain;
}

void capacity_fill(struct capacity *capacity, const char *hypervisor, struct domain_description *description)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_format(description->uuid, uuid);
    for (uint32_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];
        const struct answer *answer = find_answer(capacity, disk->source);

        if (is_asked_for(description, disk) && !is_fresh(answer))
            ask(capacity, hypervisor, uuid, disk);
        if (answer != NULL)
            fill(description, i, &answer->facts);
    }
}

void capacity_ask(struct capacity *capacity, unsigned long link, int64_t timeout_us)
{
    capacity->link = link;
    capacity->timeout_us = timeout_us;
    ask_next(capacity);
}

void capacity_drop_questions(struct capacity *capacity)
{
    struct question *question, *next;

    capacity->link = 0;
    capacity->is_asking = false;
    HASH_ITER(hh, capacity->questions, question, next)
    {
        HASH_DEL(capacity->questions, question);
        question_free(question);
    }
}

void capacity_free(struct capacity *capacity)
{
    struct answer *answer, *next;

    if (capacity == NULL)
        return;
    capacity_drop_questions(capacity);
    HASH_ITER(hh, capacity->answers, answer, next)
    {
        HASH_DEL(capacity->answers, answer);
        disk_facts_done(&answer->facts);
        free(answer->source);
        free(answer);
    }
    free(capacity);
}
