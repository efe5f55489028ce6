/* SPDX-License-Identifier: MIT */
/*
 * answers BYTES: listens on 127.0.0.1, prints the port, and answers whatever comes on each
 * connection with these bytes, until it is
 * killed.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listens(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&address, &len))
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    char request[4096];
    unsigned port;
    int fd = argc == 2 ? listens(&port) : -1;

    if (fd < 0)
        return 2;
    printf("%u\n", port);
    fflush(stdout);
    for (;;) {
        int peer = accept(fd, NULL, NULL);

        if (peer < 0)
            return 1;
        if (read(peer, request, sizeof request) > 0)
            dprintf(peer, "%s", argv[1]);
        shutdown(peer, SHUT_WR);
        while (read(peer, request, sizeof request) > 0)
            continue;
        close(peer);
    }
}
