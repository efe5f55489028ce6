/* SPDX-License-Identifier: MIT */
/*
 * The line. Hosts that have requests waiting and may send one stand in a ring; the first of them
 * sends one and goes to the end. A host with nothing on the wire and nobody waiting is forgotten.
 */
#include "io/http_queue.h"

#include <string.h>
#include <sys/resource.h>

#include "base/map.h"
#include "loop/ready.h"
#include "loop/runtime.h"

enum { FEWEST_REQUESTS = 16, MOST_REQUESTS = 65536, IDLE_CONNECTIONS = 128 };

struct gate {
    struct reeve_runtime *runtime;
    struct rv_mem *mem;
    struct rv_http_settings settings; /* its texts are the two below */
    char *proxy;
    char *ca_file;
    bool in_use;
    struct rv_map hosts;
    struct rv_list ring; /* of hosts that may start one */
    struct rv_task task;
    uint32_t running;
    void (*start)(struct rv_http_place *place);
};

struct rv_http_host {
    struct rv_map_node node;
    struct rv_list in_ring;
    struct rv_list waiting;
    uint32_t running;
    char origin[];
};

/* ---- the gate of a runtime ------------------------------------------------------------------- */

static uint32_t usual_requests(void)
{
    struct rlimit limit;
    rlim_t most = MOST_REQUESTS;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 4 * 3 < most)
        most = limit.rlim_cur / 4 * 3;
    return most < FEWEST_REQUESTS ? FEWEST_REQUESTS : (uint32_t)most;
}

static void fill_in(struct rv_http_settings *settings)
{
    if (!settings->max_requests)
        settings->max_requests = usual_requests();
    if (!settings->max_requests_per_host)
        settings->max_requests_per_host = settings->max_requests;
    if (!settings->max_idle_connections)
        settings->max_idle_connections = IDLE_CONNECTIONS;
}

static void free_texts(struct rv_mem *mem, char *proxy, char *ca_file)
{
    if (proxy)
        explicit_bzero(proxy, strlen(proxy)); /* it may carry a password */
    rv_free(mem, proxy);
    rv_free(mem, ca_file);
}

static void gate_free(void *value)
{
    struct gate *gate = value;

    rv_ready_remove(&gate->task);
    rv_map_done(&gate->hosts);
    free_texts(gate->mem, gate->proxy, gate->ca_file);
    rv_free(gate->mem, gate);
}

static void start_some(struct rv_task *task);

static struct gate *gate_of(struct reeve_runtime *runtime)
{
    struct gate *gate = rv_runtime_slot(runtime, RV_SLOT_HTTP_QUEUE);

    if (gate)
        return gate;
    gate = rv_zalloc(rv_runtime_mem(runtime), sizeof *gate);
    if (!gate)
        return NULL;
    gate->runtime = runtime;
    gate->mem = rv_runtime_mem(runtime);
    rv_map_init(&gate->hosts, gate->mem);
    rv_list_init(&gate->ring);
    rv_task_init(&gate->task, start_some);
    fill_in(&gate->settings);
    rv_runtime_slot_set(runtime, RV_SLOT_HTTP_QUEUE, gate, gate_free);
    return gate;
}

int rv_http_settings_set(struct reeve_runtime *runtime, const struct rv_http_settings *settings)
{
    struct gate *gate = gate_of(runtime);
    char *proxy, *ca_file;

    if (!gate)
        return REEVE_ENOMEM;
    if (gate->in_use)
        return REEVE_EINVAL;
    proxy = rv_strdup(gate->mem, settings->proxy);
    ca_file = rv_strdup(gate->mem, settings->ca_file);
    if ((settings->proxy && !proxy) || (settings->ca_file && !ca_file)) {
        free_texts(gate->mem, proxy, ca_file);
        return REEVE_ENOMEM;
    }
    free_texts(gate->mem, gate->proxy, gate->ca_file);
    gate->proxy = proxy;
    gate->ca_file = ca_file;
    gate->settings = *settings;
    gate->settings.proxy = proxy;
    gate->settings.ca_file = ca_file;
    fill_in(&gate->settings);
    return 0;
}

const struct rv_http_settings *rv_http_settings_of(struct reeve_runtime *runtime)
{
    struct gate *gate = gate_of(runtime);

    return gate ? &gate->settings : NULL;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static struct rv_http_host *host_get(struct gate *gate, const char *origin, size_t len)
{
    struct rv_map_node *node = rv_map_find(&gate->hosts, origin, len);
    struct rv_http_host *host;

    if (node)
        return rv_map_entry(node, struct rv_http_host, node);
    host = rv_zalloc(gate->mem, sizeof *host + len);
    if (!host)
        return NULL;
    memcpy(host->origin, origin, len);
    rv_list_init(&host->in_ring);
    rv_list_init(&host->waiting);
    if (rv_map_add(&gate->hosts, &host->node, host->origin, len)) {
        rv_free(gate->mem, host);
        return NULL;
    }
    return host;
}

static bool host_may_start(const struct gate *gate, const struct rv_http_host *host)
{
    return host->running < gate->settings.max_requests_per_host;
}

/* Into the ring, out of it, or forgotten, as what it has now demands. */
static void host_settle(struct gate *gate, struct rv_http_host *host)
{
    bool waits = !rv_list_empty(&host->waiting);

    if (!waits || !host_may_start(gate, host))
        rv_list_remove(&host->in_ring);
    else if (rv_list_empty(&host->in_ring))
        rv_list_append(&gate->ring, &host->in_ring);
    if (!waits && !host->running) {
        rv_map_remove(&gate->hosts, &host->node);
        rv_free(gate->mem, host);
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

static void start_first(struct gate *gate)
{
    struct rv_http_host *host = rv_list_entry(gate->ring.next, struct rv_http_host, in_ring);
    struct rv_http_place *place =
        rv_list_entry(rv_list_shift(&host->waiting), struct rv_http_place, node);

    rv_list_remove(&host->in_ring);
    gate->running++;
    host->running++;
    host_settle(gate, host);
    gate->start(place);
}

static void start_some(struct rv_task *task)
{
    struct gate *gate = rv_container_of(task, struct gate, task);

    if (rv_list_empty(&gate->ring) || gate->running >= gate->settings.max_requests)
        return;
    start_first(gate);
    rv_ready_push(gate->runtime, &gate->task);
}

int rv_http_place_take(struct reeve_runtime *runtime, struct rv_http_place *place,
                       const char *origin, size_t origin_len,
                       void (*start)(struct rv_http_place *place), bool *ret_now)
{
    struct gate *gate = gate_of(runtime);
    struct rv_http_host *host = gate ? host_get(gate, origin, origin_len) : NULL;

    if (!host)
        return REEVE_ENOMEM;
    gate->in_use = true;
    gate->start = start;
    place->host = host;
    rv_list_init(&place->node);
    *ret_now = gate->running < gate->settings.max_requests && rv_list_empty(&gate->ring) &&
               rv_list_empty(&host->waiting) && host_may_start(gate, host);
    if (*ret_now) {
        gate->running++;
        host->running++;
        return 0;
    }
    rv_list_append(&host->waiting, &place->node);
    host_settle(gate, host);
    rv_ready_push(runtime, &gate->task);
    return 0;
}

void rv_http_place_leave(struct reeve_runtime *runtime, struct rv_http_place *place)
{
    struct rv_http_host *host = place->host;
    struct gate *gate;

    if (!host)
        return;
    gate = gate_of(runtime);
    place->host = NULL;
    if (rv_list_empty(&place->node)) {
        gate->running--;
        host->running--;
    } else {
        rv_list_remove(&place->node);
    }
    host_settle(gate, host);
    if (!rv_list_empty(&gate->ring))
        rv_ready_push(runtime, &gate->task);
}
