/* SPDX-License-Identifier: MIT */
/* A body as gzip, for clients that did not ask for it either. */
#ifndef MS_SERVER_GZIP_H
#define MS_SERVER_GZIP_H

#include "text.h"

/* Puts the gzip file of `text` in its place (RFC 1952, in stored blocks: it is the format that is
 * wanted, not that it is smaller). A failure shows in text->failed. */
void ms_gzip(struct ms_text *text);

#endif
