/* SPDX-License-Identifier: MIT */
/*
 * What a toolbox keeps of the results of calls that have read. Knows no calls: what they are equal
 * by comes as a key, what they touch as claims. A kept result is looked at when it is found, not
 * when something is written: then it must still be right by the times of writes (written.h) and by
 * its own time. So a write costs the same however much is kept.
 */
#ifndef RV_TOOL_CACHE_H
#define RV_TOOL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/lru.h"
#include "tool/written.h"

#include <reeve/json.h>
#include <reeve/tool.h>

struct rv_cache {
    struct rv_mem *mem;
    struct rv_lru lru; /* of struct rv_kept */
    struct rv_written written;
    uint64_t ttl_ms;
    struct rv_digest *digest; /* made when it is first wanted, */
    struct rv_buffer text;    /* and what it is taken over */
    struct reeve_tool_cache_stats stats;
};

struct rv_cache_key {
    unsigned char bytes[RV_DIGEST_BYTES];
};

/* Counted: whoever shows its text to a host holds a reference. */
struct rv_kept {
    struct rv_lru_entry entry;
    struct rv_cache_key key;
    struct rv_mem *mem;
    size_t refs;
    bool in; /* it stands in the cache */
    bool read_everything;
    uint64_t since; /* it is right for this time, if for none later */
    size_t claims;
    const char *names; /* of them: kind, NUL, key, NUL, … */
    const char *text;  /* NUL-terminated */
    size_t len;
    const char *evidence;
    size_t evidence_len;
    char bytes[]; /* of the three */
};

void rv_cache_init(struct rv_cache *cache, struct rv_mem *mem);
void rv_cache_done(struct rv_cache *cache);

/* Bounds; what is kept is dropped. */
void rv_cache_set(struct rv_cache *cache, const struct reeve_tool_cache_options *options);
void rv_cache_clear(struct rv_cache *cache);

static inline bool rv_cache_is_on(const struct rv_cache *cache)
{
    return cache->lru.max_entries > 0;
}

/* What calls are equal by. */
struct rv_cache_question {
    const char *scope;
    uint64_t tool;             /* its number in the toolbox, never used again */
    uint64_t max_output_bytes; /* the result depends on it */
    const struct reeve_json *arguments;
};

/* 0; REEVE_ETOOBIG: the arguments are more than is worth it; REEVE_ENOMEM, REEVE_EUNSUPPORTED. */
int rv_cache_key(struct rv_cache *cache, const struct rv_cache_question *question,
                 struct rv_cache_key *ret_key);

/* With a reference for the caller; NULL: there is none that is right. */
struct rv_kept *rv_cache_look_up(struct rv_cache *cache, const struct rv_cache_key *key,
                                 int64_t now_ms);

/* Whether nothing that it stands on has been written since. */
bool rv_cache_is_right(struct rv_cache *cache, struct rv_kept *kept);

/* It is not right any more, which was found out by other means. */
void rv_cache_drop_stale(struct rv_cache *cache, struct rv_kept *kept);

struct rv_cache_content {
    const char *text;
    size_t len;
    const void *evidence;
    size_t evidence_len;
    bool read_everything; /* there are no claims */
    const struct reeve_claim *claims;
    size_t claim_count;
    uint64_t since; /* when the reading began, as rv_written.now was */
};

/* Nothing is kept of what has been overtaken by a write, is too large, or finds no memory. */
void rv_cache_keep(struct rv_cache *cache, const struct rv_cache_key *key,
                   const struct rv_cache_content *content, int64_t now_ms);

struct rv_kept *rv_kept_ref(struct rv_kept *kept);
void rv_kept_unref(struct rv_kept *kept); /* NULL is allowed */

#endif
