/* SPDX-License-Identifier: MIT */
/* How long a server asks to be left alone. */
#ifndef RV_MODEL_RETRY_AFTER_H
#define RV_MODEL_RETRY_AFTER_H

#include <stdint.h>

/* The values of the header fields, NULL: not there. In milliseconds; -1: nothing that is
 * understood. */
int64_t rv_retry_after_ms(const char *retry_after_ms, const char *retry_after, int64_t wall_now_ms);

/* An HTTP date, RFC 9110, 5.6.7, in its three forms, as milliseconds since 1970; -1: none. */
int64_t rv_http_date_ms(const char *text);

#endif
