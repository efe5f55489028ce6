/* SPDX-License-Identifier: MIT */
/* evhttp's own error pages, told in JSON. */
#ifndef MS_SERVER_PAGE_H
#define MS_SERVER_PAGE_H

struct event_base;
struct bufferevent;

/* For evhttp_set_bevcb: a connection on which a page of HTML that evhttp writes by itself (of a
 * body over its cap, of a head that it cannot read) becomes an error in the providers' form. */
struct bufferevent *ms_page_connection(struct event_base *base, void *arg);

#endif
