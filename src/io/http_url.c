/* SPDX-License-Identifier: MIT */
/*
 * Which scheme, whether the host is this machine's loopback, and what of a URL may stand in an
 * error text. It takes less than the standard allows, so that nothing it accepts is another host to
 * libcurl.
 */
#include "io/http_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"

#include <reeve/error.h>

/* A longer path is cut in an error text. */
enum { MAX_LABEL_BYTES = 512 };

struct span {
    const char *text;
    size_t len;
};

static bool is_clean(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c <= ' ' || c == 0x7F || c == '\\')
            return false;
    }
    return true;
}

static bool span_is(struct span span, const char *text)
{
    return span.len == strlen(text) && !strncasecmp(span.text, text, span.len);
}

static bool ends_in(struct span span, const char *tail)
{
    size_t len = strlen(tail);

    return span.len >= len && !strncasecmp(span.text + span.len - len, tail, len);
}

static bool is_loopback_v6(const char *text)
{
    struct in6_addr addr;

    if (inet_pton(AF_INET6, text, &addr) != 1)
        return false;
    if (IN6_IS_ADDR_LOOPBACK(&addr))
        return true;
    return IN6_IS_ADDR_V4MAPPED(&addr) && addr.s6_addr[12] == IN_LOOPBACKNET;
}

static bool is_loopback(struct span host)
{
    char text[64];
    struct in_addr addr;

    if (host.len && host.text[host.len - 1] == '.')
        host.len--;
    if (span_is(host, "localhost") || ends_in(host, ".localhost"))
        return true;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.text, host.len);
    text[host.len] = '\0';
    if (text[0] != '[')
        return inet_aton(text, &addr) && ntohl(addr.s_addr) >> 24 == IN_LOOPBACKNET;
    text[host.len - 1] = '\0';
    return is_loopback_v6(text + 1);
}

static bool is_port(struct span port)
{
    if (!port.len || port.len > 5)
        return false;
    for (size_t i = 0; i < port.len; i++) {
        if (port.text[i] < '0' || port.text[i] > '9')
            return false;
    }
    return true;
}

/* The host of "host", "host:port", "[v6]" or "[v6]:port"; an empty one if it is none of these. */
static struct span find_host(struct span site)
{
    static const struct span none = {"", 0};
    struct span host = site;
    struct span rest;

    if (site.len && site.text[0] == '[') {
        const char *close = memchr(site.text, ']', site.len);

        if (!close || close == site.text + 1)
            return none;
        host.len = (size_t)(close + 1 - site.text);
    } else {
        const char *colon = memchr(site.text, ':', site.len);

        if (colon)
            host.len = (size_t)(colon - site.text);
        if (memchr(host.text, '%', host.len) || memchr(host.text, '[', host.len))
            return none;
    }
    rest = (struct span){site.text + host.len, site.len - host.len};
    if (!rest.len)
        return host;
    if (rest.text[0] != ':' || !is_port((struct span){rest.text + 1, rest.len - 1}))
        return none;
    return host;
}

/* The authority without user info. */
static struct span find_site(const char *authority, size_t len)
{
    const char *at = memchr(authority, '@', len);
    size_t skipped;

    if (!at)
        return (struct span){authority, len};
    skipped = (size_t)(at + 1 - authority);
    if (memchr(at + 1, '@', len - skipped))
        return (struct span){"", 0};
    return (struct span){at + 1, len - skipped};
}

static int make_label(struct rv_mem *mem, bool secure, struct span site, struct span path,
                      char **ret_label)
{
    struct rv_buffer label;
    int error;

    if (site.len > MAX_LABEL_BYTES / 2)
        return REEVE_EINVAL;
    if (path.len > MAX_LABEL_BYTES / 2 - 16)
        path.len = MAX_LABEL_BYTES / 2 - 16;
    rv_buffer_init(&label, mem, MAX_LABEL_BYTES);
    error = rv_buffer_reserve(&label, 8 + site.len + path.len);
    if (error)
        return error;
    rv_buffer_add_text(&label, secure ? "https://" : "http://");
    rv_buffer_add(&label, site.text, site.len);
    rv_buffer_add(&label, path.text, path.len);
    *ret_label = rv_buffer_steal(&label, NULL);
    return 0;
}

int rv_http_url_parse(struct rv_mem *mem, const char *text, struct rv_http_url *ret_url)
{
    bool secure = !strncasecmp(text, "https://", 8);
    struct span site, host, path;
    const char *authority;
    char *label;
    int error;

    if ((!secure && strncasecmp(text, "http://", 7)) || !is_clean(text))
        return REEVE_EINVAL;
    authority = text + (secure ? 8 : 7);
    path.text = authority + strcspn(authority, "/?#");
    path.len = strcspn(path.text, "?#");
    site = find_site(authority, (size_t)(path.text - authority));
    host = find_host(site);
    if (!host.len)
        return REEVE_EINVAL;
    error = make_label(mem, secure, site, path, &label);
    if (error)
        return error;
    *ret_url = (struct rv_http_url){secure,
                                    is_loopback(host),
                                    label,
                                    .host_at = secure ? 8 : 7,
                                    .host_len = host.len,
                                    .origin_len = (secure ? 8 : 7) + site.len};
    return 0;
}

const char *rv_http_url_show(const char *text, char *room, size_t size)
{
    size_t len = strcspn(text, "?#");
    const char *slashes = memmem(text, len, "//", 2);
    struct span before = {text, slashes ? (size_t)(slashes + 2 - text) : 0};
    struct span rest = {text + before.len, len - before.len};
    size_t site_len = strcspn(rest.text, "/?#");
    const char *at = slashes ? memrchr(rest.text, '@', site_len) : NULL;

    if (at) {
        rest.len -= (size_t)(at + 1 - rest.text);
        rest.text = at + 1;
    }
    snprintf(room, size, "%.*s%.*s", (int)before.len, before.text, (int)rest.len, rest.text);
    return room;
}

void rv_http_url_done(struct rv_mem *mem, struct rv_http_url *url)
{
    rv_free(mem, url->label);
    url->label = NULL;
}
