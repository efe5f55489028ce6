/* SPDX-License-Identifier: MIT */
/* libcurl's own setting up: once in a process, at the first use, never undone. */
#ifndef RV_IO_CURL_ONCE_H
#define RV_IO_CURL_ONCE_H

/* From any thread. 0 or REEVE_ENOMEM, the same every time. */
int rv_curl_once(void);

#endif
