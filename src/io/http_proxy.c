/* SPDX-License-Identifier: MIT */
/* The choice of a proxy. */
#include "io/http_proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <reeve/error.h>

enum { MAX_NAME_BYTES = 256, MAX_LABEL_BYTES = 300 };

/* ---- no_proxy -------------------------------------------------------------------------------- */

struct address {
    int family; /* AF_UNSPEC: it is a name */
    unsigned char bytes[16];
};

static struct address parse_address(const char *text)
{
    struct address address = {AF_UNSPEC, {0}};

    if (inet_pton(AF_INET, text, address.bytes) == 1)
        address.family = AF_INET;
    else if (inet_pton(AF_INET6, text, address.bytes) == 1)
        address.family = AF_INET6;
    return address;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return !rest || !((a[bits / 8] ^ b[bits / 8]) >> (8 - rest));
}

/* "10.0.0.0/8", "fe80::/10", or an address alone. It writes into the item. */
static bool covers_address(char *item, const struct address *host)
{
    char *slash = strchr(item, '/');
    unsigned most = host->family == AF_INET ? 32 : 128;
    unsigned long bits = most;
    struct address range;
    char *end;

    if (slash) {
        *slash = '\0';
        bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end || bits > most)
            return false;
    }
    range = parse_address(item);
    return range.family == host->family && same_bits(range.bytes, host->bytes, (unsigned)bits);
}

/* The name itself and what ends in a dot and it. */
static bool covers_name(const char *item, const char *host)
{
    size_t len, host_len = strlen(host);

    if (*item == '.')
        item++;
    len = strlen(item);
    if (!len || len > host_len || strcasecmp(host + host_len - len, item) != 0)
        return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

static void drop_last_dot(char *name)
{
    size_t len = strlen(name);

    if (len && name[len - 1] == '.')
        name[len - 1] = '\0';
}

static bool cut(char room[MAX_NAME_BYTES], const char *text, size_t len)
{
    if (len >= MAX_NAME_BYTES)
        return false;
    memcpy(room, text, len);
    room[len] = '\0';
    return true;
}

bool rv_proxy_listed(const char *list, const char *host, size_t host_len)
{
    char name[MAX_NAME_BYTES], item[MAX_NAME_BYTES];
    struct address address;
    size_t len;

    if (host_len && *host == '[') {
        host++;
        host_len -= 2;
    }
    if (!strcmp(list, "*"))
        return true;
    if (!cut(name, host, host_len))
        return false;
    drop_last_dot(name);
    address = parse_address(name);
    for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
        len = strcspn(list, ", ");
        if (cut(item, list, len)) {
            drop_last_dot(item);
            if (address.family == AF_UNSPEC ? covers_name(item, name)
                                            : covers_address(item, &address))
                return true;
        }
        list += len;
    }
    return false;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static const char *read_variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static const char *find_variable(const struct rv_http_url *url)
{
    const char *value = NULL;

    if (url->secure) {
        value = read_variable("https_proxy");
        if (!value)
            value = read_variable("HTTPS_PROXY");
    } else {
        value = read_variable("http_proxy");
    }
    if (!value)
        value = read_variable("all_proxy");
    return value ? value : read_variable("ALL_PROXY");
}

static const char *find_in_environment(const struct rv_http_url *url)
{
    const char *proxy, *list;

    if (url->loopback)
        return NULL;
    proxy = find_variable(url);
    if (!proxy)
        return NULL;
    list = read_variable("no_proxy");
    if (!list)
        list = read_variable("NO_PROXY");
    if (list && rv_proxy_listed(list, url->label + url->host_at, url->host_len))
        return NULL;
    return proxy;
}

/* Whatever stands before the last "@" is a secret, however odd; a path means nothing to a proxy. */
static char *make_label(struct rv_mem *mem, const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *at = strrchr(url, '@');
    const char *site = at ? at + 1 : scheme ? scheme + 3 : url;
    char text[MAX_LABEL_BYTES];

    snprintf(text, sizeof text, "%.*s://%.*s", scheme ? (int)(scheme - url) : 4,
             scheme ? url : "http", (int)strcspn(site, "/?#"), site);
    return rv_strdup(mem, text);
}

int rv_proxy_choose(struct rv_mem *mem, const char *given, const struct rv_http_url *url,
                    struct rv_proxy *ret_proxy)
{
    const char *chosen = given ? given : find_in_environment(url);
    struct rv_proxy proxy = {NULL, NULL};

    if (chosen && *chosen) {
        proxy.url = rv_strdup(mem, chosen);
        proxy.label = make_label(mem, chosen);
        if (!proxy.url || !proxy.label) {
            rv_proxy_done(mem, &proxy);
            return REEVE_ENOMEM;
        }
    }
    *ret_proxy = proxy;
    return 0;
}

void rv_proxy_done(struct rv_mem *mem, struct rv_proxy *proxy)
{
    if (proxy->url)
        explicit_bzero(proxy->url, strlen(proxy->url));
    rv_free(mem, proxy->url);
    rv_free(mem, proxy->label);
    *proxy = (struct rv_proxy){NULL, NULL};
}
