/* SPDX-License-Identifier: MIT */
/* What to answer a request: key, path, method, body, fault, script, in this order. */
#ifndef MS_SERVER_RESPOND_H
#define MS_SERVER_RESPOND_H

#include "exchange.h"

/* Fills the response in. It always succeeds: without memory the response is an error, or one whose
 * body has failed and which is cut off. */
void ms_respond(struct model_server *server, struct evhttp_request *request,
                struct ms_response *response);

#endif
