/* SPDX-License-Identifier: MIT */
/*
 * Scripted peers under io/stream, in place of names, sockets and libcurl: limits, queue and
 * delivery are the real ones; time is the runtime's.
 *
 *     static void greeter(struct rv_sim_peer *x, void *arg)
 *     {
 *         rv_sim_peer_connect_ms(x, 20);
 *         rv_sim_peer_expect(x, "hello\n");
 *         rv_sim_peer_send(x, "good day\n");
 *         rv_sim_peer_end(x);
 *     }
 *
 *     rv_sim_stream_on(runtime, "greeter.test", greeter, NULL);
 *
 * A script is written when its stream is opened, and plays from the loop, a piece a turn; at its
 * end the peer is silent. Who has no script can't be resolved. Scripts' memory is not the
 * runtime's, but for a block a stream, which a sweep fails. A seed (tests/sim/fate.h) has what the
 * peer sends and takes come in other pieces, with waits between what it sends.
 */
#ifndef RV_TESTS_SIM_STREAM_H
#define RV_TESTS_SIM_STREAM_H

#include "io/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rv_sim_peer;

typedef void (*rv_sim_peer_writer)(struct rv_sim_peer *peer, void *arg);

/* A host or a path; NULL: any. Of several that match the one added last answers. */
void rv_sim_stream_on(struct reeve_runtime *runtime, const char *address, rv_sim_peer_writer write,
                      void *arg);

/* Pieces of this size from the peer, and to it; 0: as written. */
void rv_sim_stream_split(struct reeve_runtime *runtime, size_t from_bytes, size_t to_bytes);

/* Streams that have a link now. What all peers together were sent, and how many were told that no
 * more comes. */
size_t rv_sim_stream_links(struct reeve_runtime *runtime);
const char *rv_sim_stream_received(struct reeve_runtime *runtime);
size_t rv_sim_stream_shut(struct reeve_runtime *runtime);

/* ---- the script -------------------------------------------------------------------------------
 */

void rv_sim_peer_connect_ms(struct rv_sim_peer *peer, uint64_t ms);
void rv_sim_peer_connect_fails(struct rv_sim_peer *peer, int error, const char *detail);
void rv_sim_peer_connect_stalls(struct rv_sim_peer *peer);

void rv_sim_peer_wait(struct rv_sim_peer *peer, uint64_t ms);
void rv_sim_peer_send(struct rv_sim_peer *peer, const char *text);
/* Until so much more has come; the text itself is compared. */
void rv_sim_peer_expect(struct rv_sim_peer *peer, const char *text);
/* Take nothing from here on, as one whose window is full; or again. */
void rv_sim_peer_read(struct rv_sim_peer *peer, bool on);
void rv_sim_peer_end(struct rv_sim_peer *peer);   /* writes no more */
void rv_sim_peer_reset(struct rv_sim_peer *peer); /* the connection is lost */

#endif
