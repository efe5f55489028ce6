/* SPDX-License-Identifier: MIT */
#include "tests/world/peer_real.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer_real {
    enum rv_world_manner manner;
    struct event_base *base;
    struct evconnlistener *listener; /* NULL: it refuses */
    int fd;                          /* bound, and nobody listens; -1: the listener's */
    struct rv_world_place place;
    struct bufferevent *link; /* one at a time */
    char heard[256];
};

static void hang_up(struct peer_real *peer)
{
    if (peer->link)
        bufferevent_free(peer->link);
    peer->link = NULL;
}

/* What was answered is out: no more is written. */
static void on_drained(struct bufferevent *link, void *arg)
{
    (void)arg;
    shutdown(bufferevent_getfd(link), SHUT_WR);
}

static void reset(struct peer_real *peer)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(bufferevent_getfd(peer->link), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up(peer);
}

static void on_data(struct bufferevent *link, void *arg)
{
    struct peer_real *peer = arg;
    size_t had = strlen(peer->heard);
    size_t len = bufferevent_read(link, peer->heard + had, sizeof peer->heard - 1 - had);

    peer->heard[had + len] = '\0';
    if (had >= strlen(RV_WORLD_HELLO) || had + len < strlen(RV_WORLD_HELLO))
        return;
    if (peer->manner == RV_WORLD_RESETS)
        reset(peer);
    if (peer->manner != RV_WORLD_TALKS)
        return;
    bufferevent_setcb(link, on_data, on_drained, NULL, peer);
    bufferevent_write(link, RV_WORLD_GREETING, strlen(RV_WORLD_GREETING));
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct peer_real *peer = arg;

    (void)listener;
    (void)address;
    (void)len;
    hang_up(peer);
    peer->link = bufferevent_socket_new(peer->base, fd, BEV_OPT_CLOSE_ON_FREE);
    cr_assert_not_null(peer->link);
    bufferevent_setcb(peer->link, on_data, NULL, NULL, peer);
    bufferevent_enable(peer->link, EV_READ | EV_WRITE);
}

struct peer_real *peer_real_new(struct event_base *base, enum rv_world_manner manner)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct peer_real *peer = calloc(1, sizeof *peer);
    socklen_t size = sizeof here;

    cr_assert_not_null(peer);
    peer->base = base;
    peer->manner = manner;
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(peer->fd, (void *)&here, sizeof here), 0);
    cr_assert_eq(getsockname(peer->fd, (void *)&here, &size), 0);
    peer->place = (struct rv_world_place){"127.0.0.1", ntohs(here.sin_port)};
    if (manner == RV_WORLD_REFUSES)
        return peer; /* the port is kept, so that nobody else listens there */
    peer->listener = evconnlistener_new(base, on_accept, peer, LEV_OPT_CLOSE_ON_FREE, 8, peer->fd);
    cr_assert_not_null(peer->listener);
    peer->fd = -1;
    return peer;
}

void peer_real_free(struct peer_real *peer)
{
    if (!peer)
        return;
    hang_up(peer);
    if (peer->listener)
        evconnlistener_free(peer->listener);
    if (peer->fd >= 0)
        close(peer->fd);
    free(peer);
}

struct rv_world_place peer_real_place(const struct peer_real *peer)
{
    return peer->place;
}

const char *peer_real_heard(const struct peer_real *peer)
{
    return peer->heard;
}
