/* SPDX-License-Identifier: MIT */
/* reeve-model-server as a process: its first line, its end, its command line. */
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY                                                                                       \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"

static pid_t spawn(const char *const *argv, int *ret_out)
{
    const char *builddir = getenv("builddir");
    char path[4096];
    int out[2];
    pid_t pid;

    snprintf(path, sizeof(path), "%s/examples/reeve-model-server", builddir ? builddir : ".");
    cr_assert_eq(pipe(out), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        execv(path, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    *ret_out = out[0];
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int run(const char *const *argv)
{
    char text[4096];
    int out;
    pid_t pid = spawn(argv, &out);

    while (read(out, text, sizeof(text)) > 0)
        ;
    close(out);
    return status_of(pid);
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * n;
}

/* A client that has not heard the end after 300 ms, and goes. */
static CURLcode hear_a_little(const char *base_url)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *easy = curl_easy_init();
    char url[256];
    CURLcode result;

    snprintf(url, sizeof(url), "%s/chat/completions", base_url);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, BODY);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 300L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
    result = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return result;
}

/* Its first line is its URL; under a sanitizer its status also tells of leaks. */
RV_TEST(real_model_server, runs_as_a_process)
{
    const char *const argv[] = {"reeve-model-server",  "--latency-ms", "1",
                                "--tokens-per-second", "10",           NULL};
    const int signals[] = {SIGTERM, SIGINT};

    for (int i = 0; i < 2; i++) {
        char line[128];
        int out;
        pid_t pid = spawn(argv, &out);
        ssize_t len = read(out, line, sizeof(line) - 1);

        cr_assert_gt(len, 0);
        line[len] = '\0';
        cr_assert_eq(strncmp(line, "http://127.0.0.1:", 17), 0, "%s", line);
        cr_assert(strstr(line, "/v1\n"), "%s", line);
        line[len - 1] = '\0';
        cr_assert_eq(hear_a_little(line), CURLE_OPERATION_TIMEDOUT);
        kill(pid, signals[i]);
        cr_assert_eq(status_of(pid), 0);
        close(out);
    }
}

RV_TEST(real_model_server, refuses_wrong_command_lines)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char port[16];

    cr_assert_eq(run((const char *const[]){"x", "--help", NULL}), 0);
    cr_assert_eq(run((const char *const[]){"x", "--port", "70000", NULL}), 2);
    cr_assert_eq(run((const char *const[]){"x", "--port", "eleven", NULL}), 2);
    cr_assert_eq(run((const char *const[]){"x", "--latency-ms", "-1", NULL}), 2);
    cr_assert_eq(run((const char *const[]){"x", "--nonsense", NULL}), 2);
    cr_assert_eq(run((const char *const[]){"x", "argument", NULL}), 2);
    cr_assert_eq(run((const char *const[]){"x", "--fault", "nonsense", NULL}), 2);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(taken, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(taken, 1), 0);
    cr_assert_eq(getsockname(taken, (struct sockaddr *)&address, &len), 0);
    snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
    cr_assert_eq(run((const char *const[]){"x", "--port", port, NULL}), 1);
    close(taken);
}
