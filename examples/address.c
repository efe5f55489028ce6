/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint8_t prefix[16];
    unsigned bits;
};

static const struct range not_public_4[] = {
    {{0}, 8},             /* this host, on this network */
    {{10}, 8},            /* private */
    {{100, 64}, 10},      /* shared between a provider and its customers */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local; clouds tell secrets there */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocols */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays, given up */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, and broadcast */
};

/* Within 2000::/3, the only part that is given out. */
static const struct range not_public_6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocols; Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static const struct range global_unicast = {{0x20}, 3};

/* IPv6 addresses that carry an IPv4 one, and where. */
static const struct {
    struct range range;
    size_t at;
} carriers[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, /* IPv4-mapped */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                   /* NAT64 */
    {{{0x20, 0x02}, 16}, 2},                                /* 6to4 */
};

static bool is_in(const uint8_t *address, const struct range *range)
{
    const unsigned whole = range->bits / 8, rest = range->bits % 8;
    const uint8_t mask = (uint8_t)(0xff00u >> rest);

    return !memcmp(address, range->prefix, whole) &&
           (!rest || (address[whole] & mask) == range->prefix[whole]);
}

static bool is_in_any(const uint8_t *address, const struct range *ranges, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (is_in(address, &ranges[i]))
            return true;
    return false;
}

static bool is_public_4(const uint8_t *address)
{
    return !is_in_any(address, not_public_4, sizeof not_public_4 / sizeof not_public_4[0]);
}

static bool is_public_6(const uint8_t *address)
{
    size_t i;

    for (i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
        if (is_in(address, &carriers[i].range))
            return is_public_4(address + carriers[i].at);
    return is_in(address, &global_unicast) &&
           !is_in_any(address, not_public_6, sizeof not_public_6 / sizeof not_public_6[0]);
}

bool address_is_public(const struct sockaddr *address)
{
    switch (address->sa_family) {
    case AF_INET:
        return is_public_4((const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    case AF_INET6:
        return is_public_6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    default:
        return false;
    }
}
