/* SPDX-License-Identifier: MIT */
/* Which addresses are public: both sides of each border. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "tests/lib/test.h"

static bool is_public(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    if (strchr(text, ':')) {
        v6->sin6_family = AF_INET6;
        cr_assert_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1, "%s", text);
    } else {
        v4->sin_family = AF_INET;
        cr_assert_eq(inet_pton(AF_INET, text, &v4->sin_addr), 1, "%s", text);
    }
    return address_is_public((const struct sockaddr *)&address);
}

RV_TEST(address, public_ones)
{
    static const char *const addresses[] = {
        "1.0.0.0",         "8.8.8.8",        "9.255.255.255",    "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",    "126.255.255.255",  "128.0.0.0",
        "169.253.255.255", "169.255.0.0",    "172.15.255.255",   "172.32.0.0",
        "192.0.1.0",       "192.0.3.0",      "192.88.98.255",    "192.88.100.0",
        "192.167.255.255", "192.169.0.0",    "198.17.255.255",   "198.20.0.0",
        "198.51.99.255",   "198.51.101.0",   "203.0.112.255",    "203.0.114.0",
        "223.255.255.255", "2001:200::",     "2001:db7::1",      "2001:db9::",
        "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
        "3ffe::1",         "3fff:1000::",
    };
    size_t i;

    (void)t;
    for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        cr_assert(is_public(addresses[i]), "%s", addresses[i]);
}

RV_TEST(address, others)
{
    static const char *const addresses[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.0",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "100::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "3fff:fff::1",
        "1fff::1",
        "4000::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    };
    size_t i;

    (void)t;
    for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        cr_assert(!is_public(addresses[i]), "%s", addresses[i]);
}

RV_TEST(address, neither_of_ip)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/socket"};

    (void)t;
    cr_assert(!address_is_public((const struct sockaddr *)&address));
}
