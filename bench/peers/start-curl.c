/* SPDX-License-Identifier: MIT */
/* The peer of `startup`: start-curl BASE_URL: the same request by a bare libcurl program. */
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

static char answer[4096];
static size_t answer_len;

static size_t on_data(char *bytes, size_t size, size_t count, void *arg)
{
    const size_t len = size * count;

    (void)arg;
    if (len > sizeof answer - 1 - answer_len)
        return 0;
    memcpy(answer + answer_len, bytes, len);
    answer_len += len;
    return len;
}

int main(int argc, char **argv)
{
    static const char body[] = "{\"model\":\"bench\",\"messages\":[{\"role\":\"user\",\"content\":"
                               "\"Hello?\"}]}";
    struct curl_slist *headers;
    char url[128];
    CURL *easy;
    int failed;

    if (argc != 2)
        return 1;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = curl_easy_init();
    if (!easy)
        return 1;
    snprintf(url, sizeof url, "%s/chat/completions", argv[1]);
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    failed = curl_easy_perform(easy) || !strstr(answer, "\"Hello.\"");
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return failed;
}
