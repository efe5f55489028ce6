/* SPDX-License-Identifier: MIT */
/* Which addresses are those of the world, and which of this machine and its neighbours. */
#ifndef EXAMPLES_ADDRESS_H
#define EXAMPLES_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Whether the address is one that anybody could reach: not this host's (loopback, unspecified), not
 * its network's (private, link-local, shared), not one kept for another purpose (multicast,
 * documentation, benchmarks, reserved). An IPv6 address that carries an IPv4 one (mapped, NAT64,
 * 6to4) is judged by that. Anything but IPv4 and IPv6 is not public.
 * Sources: the IANA registries of special-purpose addresses (RFC 6890 and what has come since).
 */
bool address_is_public(const struct sockaddr *address);

#endif
