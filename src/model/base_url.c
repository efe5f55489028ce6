/* SPDX-License-Identifier: MIT */
/* The URL that a host gives for a model. */
#include "model/base_url.h"

#include <string.h>
#include <strings.h>

#include <reeve/error.h>

/* The longest name of a host, with a port. */
enum { MAX_AUTHORITY_BYTES = 255 };

static const char *behind_scheme(const char *url)
{
    if (!strncasecmp(url, "http://", 7))
        return url + 7;
    if (!strncasecmp(url, "https://", 8))
        return url + 8;
    return NULL;
}

static bool has_bad_byte(const char *url)
{
    for (; *url; url++)
        if ((unsigned char)*url <= ' ' || *url == 0x7F || strchr("?#\\<>\"", *url))
            return true;
    return false;
}

/* The end of the host's name, which may be an IPv6 address in brackets. */
static const char *host_end(const char *host)
{
    const char *bracket = host[0] == '[' ? strpbrk(host, "]/") : NULL;

    if (host[0] == '[')
        return bracket && *bracket == ']' ? bracket + 1 : host;
    return host + strcspn(host, ":/%[]");
}

static bool port_valid(const char *port, size_t len)
{
    unsigned number = 0;
    size_t i;

    if (!len || len > 5)
        return false;
    for (i = 0; i < len; i++) {
        if (port[i] < '0' || port[i] > '9')
            return false;
        number = number * 10 + (unsigned)(port[i] - '0');
    }
    return number > 0 && number <= 65535;
}

int rv_base_url_check(const char *url, size_t *ret_len)
{
    const char *host = behind_scheme(url);
    const char *end;
    size_t authority, len;

    if (!host || has_bad_byte(url))
        return REEVE_EINVAL;
    authority = strcspn(host, "/");
    end = host_end(host);
    if (end == host || authority > MAX_AUTHORITY_BYTES || memchr(host, '@', authority))
        return REEVE_EINVAL;
    if (*end == ':' && !port_valid(end + 1, (size_t)(host + authority - end - 1)))
        return REEVE_EINVAL;
    if (*end && *end != ':' && *end != '/')
        return REEVE_EINVAL;
    len = strlen(url);
    while (len > (size_t)(host + authority - url) && url[len - 1] == '/')
        len--;
    *ret_len = len;
    return 0;
}

bool rv_base_url_host_is(const char *url, const char *host)
{
    const char *own = behind_scheme(url);
    const size_t len = own ? (size_t)(host_end(own) - own) : 0;

    return len == strlen(host) && !strncasecmp(own, host, len);
}
