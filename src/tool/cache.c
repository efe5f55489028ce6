/* SPDX-License-Identifier: MIT */
/* Kept results: by a digest of what was asked, the least recently used dropped first. */
#include "tool/cache.h"

#include <string.h>

#include "json/canonical.h"

#include <reeve/error.h>

enum {
    MOST_KEY_BYTES = 64 * 1024, /* of scope and arguments */
};

static struct rv_kept *kept_of(struct rv_lru_entry *entry)
{
    return rv_lru_item(entry, struct rv_kept, entry);
}

struct rv_kept *rv_kept_ref(struct rv_kept *kept)
{
    kept->refs++;
    return kept;
}

void rv_kept_unref(struct rv_kept *kept)
{
    if (kept && !--kept->refs)
        rv_free(kept->mem, kept);
}

static void gone(struct rv_lru *lru, struct rv_lru_entry *entry, enum rv_lru_reason reason,
                 void *arg)
{
    struct rv_cache *cache = arg;

    (void)lru;
    if (reason == RV_LRU_EVICTED)
        cache->stats.evicted++;
    else if (reason == RV_LRU_EXPIRED)
        cache->stats.expired++;
    kept_of(entry)->in = false;
    rv_kept_unref(kept_of(entry));
}

void rv_cache_init(struct rv_cache *cache, struct rv_mem *mem)
{
    struct reeve_tool_cache_options defaults;

    *cache = (struct rv_cache){.mem = mem};
    reeve_tool_cache_options_init(&defaults);
    rv_lru_init(&cache->lru, mem, defaults.max_size, defaults.max_bytes, gone, cache);
    rv_written_init(&cache->written, mem);
    rv_buffer_init(&cache->text, mem, MOST_KEY_BYTES);
}

void rv_cache_done(struct rv_cache *cache)
{
    rv_lru_done(&cache->lru);
    rv_written_done(&cache->written);
    rv_buffer_done(&cache->text);
    rv_digest_free(cache->digest);
}

void rv_cache_clear(struct rv_cache *cache)
{
    rv_lru_clear(&cache->lru);
    rv_written_touch_all(&cache->written);
}

void rv_cache_set(struct rv_cache *cache, const struct reeve_tool_cache_options *options)
{
    rv_lru_clear(&cache->lru);
    cache->lru.max_entries = options->max_size;
    cache->lru.max_bytes = options->max_bytes;
    cache->ttl_ms = options->ttl_ms;
}

/* Numbers of a fixed width, a text with its NUL, then the arguments: no two questions have the same
 * bytes. */
static int spell(struct rv_buffer *out, const struct rv_cache_question *question)
{
    int error = rv_buffer_add(out, &question->tool, sizeof question->tool);

    if (!error)
        error = rv_buffer_add(out, &question->max_output_bytes, sizeof question->max_output_bytes);
    if (!error)
        error = rv_buffer_add(out, question->scope, strlen(question->scope) + 1);
    return error ? error : rv_json_canonical(question->arguments, out);
}

int rv_cache_key(struct rv_cache *cache, const struct rv_cache_question *question,
                 struct rv_cache_key *ret_key)
{
    int error = 0;

    if (!cache->digest)
        error = rv_digest_new(cache->mem, &cache->digest);
    if (error)
        return error;
    rv_buffer_clear(&cache->text);
    error = spell(&cache->text, question);
    if (error)
        return error;
    return rv_digest_of(cache->digest, cache->text.data, cache->text.len, ret_key->bytes);
}

bool rv_cache_is_right(struct rv_cache *cache, struct rv_kept *kept)
{
    const struct rv_written *written = &cache->written;
    const char *name = kept->names;
    size_t i;

    if (rv_written_is_quiet(written, kept->since))
        return true;
    if (!rv_written_are_right(written, kept->read_everything, NULL, 0, kept->since))
        return false;
    for (i = 0; i < kept->claims; i++) {
        const char *kind = name, *key = kind + strlen(kind) + 1;

        if (!rv_written_is_right(written, kind, key, kept->since))
            return false;
        name = key + strlen(key) + 1;
    }
    kept->since = written->now;
    return true;
}

void rv_cache_drop_stale(struct rv_cache *cache, struct rv_kept *kept)
{
    if (!kept->in)
        return;
    cache->stats.stale++;
    rv_lru_remove(&cache->lru, &kept->entry);
    kept->in = false;
    rv_kept_unref(kept);
}

struct rv_kept *rv_cache_look_up(struct rv_cache *cache, const struct rv_cache_key *key,
                                 int64_t now_ms)
{
    struct rv_lru_entry *entry = rv_lru_find(&cache->lru, key->bytes, sizeof key->bytes, now_ms);

    if (!entry)
        return NULL;
    if (rv_cache_is_right(cache, kept_of(entry)))
        return rv_kept_ref(kept_of(entry));
    rv_cache_drop_stale(cache, kept_of(entry));
    return NULL;
}

/* False: it is more than can be counted. */
static bool measure(const struct rv_cache_content *content, size_t *ret_size)
{
    size_t size = sizeof(struct rv_kept) + content->evidence_len + 1, i;

    if (!rv_size_add(size, content->len, &size))
        return false;
    for (i = 0; i < content->claim_count; i++)
        if (!rv_size_add(size, strlen(content->claims[i].kind) + 1, &size) ||
            !rv_size_add(size, strlen(content->claims[i].key) + 1, &size))
            return false;
    *ret_size = size;
    return true;
}

/* Returns where the copy begins, and moves *out behind it. */
static const char *put(char **out, const void *bytes, size_t len)
{
    char *copy = *out;

    if (len)
        memcpy(copy, bytes, len);
    *out = copy + len;
    return copy;
}

static struct rv_kept *new_kept(struct rv_mem *mem, const struct rv_cache_content *content,
                                size_t size)
{
    struct rv_kept *kept = rv_alloc(mem, size);
    char *out;
    size_t i;

    if (!kept)
        return NULL;
    out = kept->bytes;
    kept->mem = mem;
    kept->refs = 1;
    kept->in = true;
    kept->read_everything = content->read_everything;
    kept->since = content->since;
    kept->claims = content->claim_count;
    kept->len = content->len;
    kept->text = put(&out, content->text, content->len);
    put(&out, "", 1);
    kept->evidence_len = content->evidence_len;
    kept->evidence = put(&out, content->evidence, content->evidence_len);
    kept->names = out;
    for (i = 0; i < content->claim_count; i++) {
        put(&out, content->claims[i].kind, strlen(content->claims[i].kind) + 1);
        put(&out, content->claims[i].key, strlen(content->claims[i].key) + 1);
    }
    return kept;
}

/* INT64_MAX where the time never comes. */
static int64_t deadline_of(const struct rv_cache *cache, int64_t now_ms)
{
    if (!cache->ttl_ms || cache->ttl_ms > (uint64_t)(RV_LRU_NEVER - now_ms))
        return RV_LRU_NEVER;
    return now_ms + (int64_t)cache->ttl_ms;
}

void rv_cache_keep(struct rv_cache *cache, const struct rv_cache_key *key,
                   const struct rv_cache_content *content, int64_t now_ms)
{
    struct rv_kept *kept;
    size_t size;

    if (!rv_written_are_right(&cache->written, content->read_everything, content->claims,
                              content->claim_count, content->since)) {
        cache->stats.overtaken++;
        return;
    }
    if (!measure(content, &size) || size > cache->lru.max_bytes)
        return;
    kept = new_kept(cache->mem, content, size);
    if (!kept)
        return;
    kept->key = *key;
    if (rv_lru_add(&cache->lru, &kept->entry, kept->key.bytes, sizeof kept->key.bytes, size,
                   deadline_of(cache, now_ms)) != 0)
        rv_kept_unref(kept);
    else
        cache->stats.stores++;
}
