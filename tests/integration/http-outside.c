/* SPDX-License-Identifier: MIT */
/*
 * A child with a folder below /tmp. The port is looked for and then given up for the server to
 * take, so that somebody else may have it first: the server ends then, and is started anew with
 * another.
 */
#include "tests/integration/http-outside.h"
#include "tests/integration/tls-papers.h"
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STARTS = 5, WAIT_MS = 8000, STEP_MS = 5, MAX_FD = 256 };

/* ---- programs -------------------------------------------------------------------------------- */

static bool find_program(const char *name, char *path, size_t size)
{
    static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/usr/local/sbin",
                                          "/usr/local/bin", "/sbin"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, size, "%s/%s", folders[i], name);
        if (!access(path, X_OK))
            return true;
    }
    return false;
}

void outside_need(const char *program)
{
    char path[OUTSIDE_PATH_BYTES];

    if (!find_program(program, path, sizeof path))
        rv_test_skip("%s is not installed", program);
}

static void become(const struct outside *outside, pid_t parent, char *const argv[])
{
    char path[OUTSIDE_PATH_BYTES];
    int out = open(outside_path(outside, "output"), O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !find_program(argv[0], path, sizeof path))
        _exit(127);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    for (int fd = STDERR_FILENO + 1; fd < MAX_FD; fd++)
        close(fd);
    execv(path, argv);
    _exit(127);
}

static bool accepts(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool did = !connect(fd, (struct sockaddr *)&address, sizeof address);

    close(fd);
    return did;
}

/* Whether it came up; it is gone otherwise. */
static bool launch(struct outside *outside, char *const argv[])
{
    pid_t parent = getpid();
    int status;

    outside->pid = fork();
    cr_assert_geq(outside->pid, 0);
    if (!outside->pid)
        become(outside, parent, argv);
    for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
        if (waitpid(outside->pid, &status, WNOHANG) == outside->pid)
            return false;
        if (accepts(outside->port) && (!outside->tls_port || accepts(outside->tls_port)))
            return true;
        usleep(STEP_MS * 1000);
    }
    kill(outside->pid, SIGKILL);
    waitpid(outside->pid, &status, 0);
    return false;
}

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(!bind(fd, (struct sockaddr *)&address, size));
    cr_assert(!getsockname(fd, (struct sockaddr *)&address, &size));
    close(fd);
    return ntohs(address.sin_port);
}

/* ---- files ----------------------------------------------------------------------------------- */

const char *outside_path(const struct outside *outside, const char *name)
{
    static char path[2 * OUTSIDE_PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", outside->folder, name);
    return path;
}

void outside_write(const struct outside *outside, const char *name, const char *bytes, size_t len)
{
    FILE *file = fopen(outside_path(outside, name), "we");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
}

char *outside_read(const struct outside *outside, const char *name, size_t *ret_len)
{
    FILE *file = fopen(outside_path(outside, name), "re");
    char *bytes;
    long len;

    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    len = ftell(file);
    rewind(file);
    bytes = calloc(1, (size_t)len + 1);
    cr_assert_not_null(bytes);
    *ret_len = fread(bytes, 1, (size_t)len, file);
    fclose(file);
    return bytes;
}

static struct outside *make(const char *log)
{
    struct outside *outside = calloc(1, sizeof *outside);

    cr_assert_not_null(outside);
    snprintf(outside->folder, sizeof outside->folder, "/tmp/reeve-outside-XXXXXX");
    cr_assert_not_null(mkdtemp(outside->folder));
    snprintf(outside->log, sizeof outside->log, "%s", log);
    return outside;
}

static void write_text(const struct outside *outside, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_text(const struct outside *outside, const char *name, const char *format, ...)
{
    char text[4096];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cr_assert(len >= 0 && len < (int)sizeof text);
    outside_write(outside, name, text, (size_t)len);
}

static void complain(const struct outside *outside)
{
    size_t len;
    char *said = outside_read(outside, "output", &len);

    cr_assert_fail("it did not start: %s", said ? said : "(it said nothing)");
}

void outside_free(struct outside *outside)
{
    char command[2 * OUTSIDE_PATH_BYTES];
    int status;

    kill(outside->pid, SIGKILL);
    waitpid(outside->pid, &status, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", outside->folder);
    cr_expect_eq(system(command), 0);
    free(outside);
}

/* ---- nginx ----------------------------------------------------------------------------------- */

static void configure_nginx(const struct outside *outside)
{
    const char *folder = outside->folder;

    /* One process: nothing outlives it. */
    write_text(outside, "nginx.conf",
               "daemon off; master_process off; pid %s/pid; error_log %s/error.log;\n"
               "events { worker_connections 256; }\n"
               "http {\n"
               "log_format test '$connection $server_protocol $request_method $uri $status '\n"
               "                '$request_length $http_via';\n"
               "access_log %s/access.log test;\n"
               "client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;\n"
               "uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
               "client_max_body_size 64m;\n"
               "server {\n"
               "  listen 0.0.0.0:%u; listen 0.0.0.0:%u ssl http2;\n"
               "  ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;\n"
               "  root %s;\n"
               "  location = /protocol { return 200 \"$server_protocol\"; }\n"
               "  location /files/ { }\n"
               "  location /put/ { dav_methods PUT; }\n"
               "} }\n",
               folder, folder, folder, folder, folder, folder, folder, folder, outside->port,
               outside->tls_port, folder, folder, folder);
}

struct outside *outside_nginx_new(const char *own_address)
{
    struct outside *nginx = make("access.log");
    char names[128], config[2 * OUTSIDE_PATH_BYTES], errors[2 * OUTSIDE_PATH_BYTES];
    char *argv[] = {(char[]){"nginx"}, (char[]){"-c"}, config, (char[]){"-e"}, errors, NULL};

    snprintf(names, sizeof names, "DNS:here.test,DNS:localhost,IP:127.0.0.1%s%s",
             own_address ? ",IP:" : "", own_address ? own_address : "");
    tls_papers_write(nginx->folder, names);
    cr_assert_eq(mkdir(outside_path(nginx, "files"), 0700), 0);
    cr_assert_eq(mkdir(outside_path(nginx, "put"), 0700), 0);
    snprintf(config, sizeof config, "%s", outside_path(nginx, "nginx.conf"));
    snprintf(errors, sizeof errors, "%s", outside_path(nginx, "error.log"));
    for (int i = 0; i < STARTS; i++) {
        nginx->port = free_port();
        nginx->tls_port = free_port();
        configure_nginx(nginx);
        if (launch(nginx, argv))
            return nginx;
    }
    complain(nginx);
    return NULL;
}

/* ---- tinyproxy ------------------------------------------------------------------------------- */

struct outside *outside_tinyproxy_new(const char *lines)
{
    struct outside *proxy = make("output");
    char config[2 * OUTSIDE_PATH_BYTES];
    char *argv[] = {(char[]){"tinyproxy"}, (char[]){"-d"}, (char[]){"-c"}, config, NULL};

    snprintf(config, sizeof config, "%s", outside_path(proxy, "tinyproxy.conf"));
    for (int i = 0; i < STARTS; i++) {
        proxy->port = free_port();
        write_text(proxy, "tinyproxy.conf",
                   "Port %u\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nAllow 127.0.0.1\n%s",
                   proxy->port, lines);
        if (launch(proxy, argv))
            return proxy;
    }
    complain(proxy);
    return NULL;
}

/* ---- what they wrote down -------------------------------------------------------------------- */

static size_t read_accesses(const struct outside *outside, struct access *list, size_t most)
{
    FILE *file = fopen(outside_path(outside, outside->log), "re");
    char line[2 * OUTSIDE_LINE_BYTES];
    size_t count = 0;

    if (!file)
        return 0;
    while (count < most && fgets(line, sizeof line, file)) {
        struct access *one = &list[count];

        cr_assert_eq(sscanf(line, "%lu %15s %15s %63s %d %lu %63[^\n]", &one->connection,
                            one->protocol, one->method, one->path, &one->status,
                            &one->request_bytes, one->via),
                     7, "%s", line);
        count++;
    }
    fclose(file);
    return count;
}

size_t outside_accesses(const struct outside *outside, struct access *list, size_t wanted)
{
    size_t count = 0;

    for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
        count = read_accesses(outside, list, wanted);
        if (count == wanted)
            break;
        usleep(STEP_MS * 1000);
    }
    return count;
}

bool outside_logged(const struct outside *outside, const char *text)
{
    size_t len;
    char *said = outside_read(outside, outside->log, &len);
    bool found = said && strstr(said, text);

    free(said);
    return found;
}

bool outside_own_address(char *room, size_t size)
{
    struct ifaddrs *list, *one;
    bool found = false;

    if (getifaddrs(&list))
        return false;
    for (one = list; one && !found; one = one->ifa_next) {
        const struct sockaddr_in *address = (const void *)one->ifa_addr;

        if (!address || address->sin_family != AF_INET || !(one->ifa_flags & IFF_UP) ||
            one->ifa_flags & IFF_LOOPBACK)
            continue;
        found = inet_ntop(AF_INET, &address->sin_addr, room, (socklen_t)size) != NULL;
    }
    freeifaddrs(list);
    return found;
}
