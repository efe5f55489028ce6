/* SPDX-License-Identifier: MIT */
#include "io/curl_once.h"

#include <curl/curl.h>
#include <pthread.h>

#include <reeve/error.h>

/* Never undone: other users of libcurl may be about. */
static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void init_global(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int rv_curl_once(void)
{
    pthread_once(&global_once, init_global);
    return global_result == CURLE_OK ? 0 : REEVE_ENOMEM;
}
