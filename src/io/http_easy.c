/* SPDX-License-Identifier: MIT */
/* One transfer of libcurl's: how it is set up, what it tells while it runs, what its end means. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "io/http_curl.h"
#include "io/http_wire.h"

#include <reeve/version.h>

/* ---- what libcurl tells. Nothing here reaches the request's owner, nor adds or removes a handle.
 */

static int on_connected(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct rv_transfer *transfer = arg;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    rv_http_connected(transfer->http);
    return CURL_PREREQFUNC_OK;
}

/*
 * Sockets are made here so that a program which the host starts does not inherit them, and so that
 * a failure can name the address it was met at, which with a proxy is not the URL's.
 */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct rv_transfer *transfer = arg;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    transfer->socket_errno = fd < 0 ? errno : 0;
    if (address->addrlen <= sizeof transfer->address)
        memcpy(&transfer->address, &address->addr, address->addrlen);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    rv_hub_opened(transfer, fd);
    return fd;
}

/* Only these are unpacked: what others make of a few bytes has no bound worth the name. */
static bool encoding_known(const struct rv_http *http)
{
    static const char *const known[] = {"identity", "gzip", "x-gzip", "deflate"};
    const char *encoding = rv_http_head_find(&http->head, "content-encoding");

    if (!encoding || !*encoding)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcasecmp(encoding, known[i]))
            return true;
    }
    return false;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct rv_transfer *transfer = arg;
    size_t len = size * count;

    if (rv_http_head_came(transfer->http, line, len) != RV_HTTP_TAKEN)
        return 0;
    if (!transfer->http->head.complete || encoding_known(transfer->http))
        return len;
    transfer->bad_encoding = true;
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct rv_transfer *transfer = arg;
    size_t len = size * count;

    switch (rv_http_body_came(transfer->http, bytes, len)) {
    case RV_HTTP_TAKEN:
        return len;
    case RV_HTTP_HELD:
        return CURL_WRITEFUNC_PAUSE;
    case RV_HTTP_REFUSED:
        break;
    }
    return 0;
}

static size_t on_send(char *room, size_t size, size_t count, void *arg)
{
    struct rv_transfer *transfer = arg;
    bool later;
    size_t len = rv_http_body_next(transfer->http, room, size * count, &later);

    return later ? CURL_READFUNC_PAUSE : len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct rv_transfer *transfer = arg;

    if (origin != SEEK_SET || offset != 0 || !rv_http_body_rewind(transfer->http))
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

/* ---- setting up ------------------------------------------------------------------------------ */

/*
 * libcurl's setters are checked once, at the end. What this libcurl was built without is left out;
 * what protects must be there, and no memory is an error for all.
 */
struct setup {
    CURL *easy;
    CURLcode result;
};

static void set_long(struct setup *setup, CURLoption option, long value)
{
    if (curl_easy_setopt(setup->easy, option, value) == CURLE_OUT_OF_MEMORY)
        setup->result = CURLE_OUT_OF_MEMORY;
}

static void set_pointer(struct setup *setup, CURLoption option, const void *value)
{
    if (curl_easy_setopt(setup->easy, option, value) == CURLE_OUT_OF_MEMORY)
        setup->result = CURLE_OUT_OF_MEMORY;
}

static void must_long(struct setup *setup, CURLoption option, long value)
{
    CURLcode result = curl_easy_setopt(setup->easy, option, value);

    if (result != CURLE_OK)
        setup->result = result;
}

static void set_callbacks(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
}

static void set_transfer(CURL *easy, struct rv_transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

/* Only of handshakes is told what libcurl says, and they are with servers or with proxies. */
static int set_error_text(struct rv_transfer *transfer)
{
    struct rv_http *http = transfer->http;

    if (!http->parsed_url.secure && !http->proxy.url)
        return 0;
    transfer->error_text = rv_zalloc(http->mem, CURL_ERROR_SIZE);
    if (!transfer->error_text)
        return REEVE_ENOMEM;
    curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->error_text);
    return 0;
}

static void set_schemes(struct setup *setup)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    set_pointer(setup, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set_long(setup, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_behaviour(struct setup *setup)
{
    set_schemes(setup);
    /* libcurl must not look at the environment for itself: an error names what was chosen here. */
    set_pointer(setup, CURLOPT_PROXY, "");
    set_pointer(setup, CURLOPT_NOPROXY, "");
    must_long(setup, CURLOPT_SSL_VERIFYPEER, 1L);
    must_long(setup, CURLOPT_SSL_VERIFYHOST, 2L);
    set_long(setup, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    set_long(setup, CURLOPT_QUICK_EXIT, 1L);
#endif
    set_long(setup, CURLOPT_FOLLOWLOCATION, 0L);
    set_long(setup, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set_long(setup, CURLOPT_NOPROGRESS, 1L);
    /* A stream may be silent for minutes: routers forget it, and a peer that is gone shows. */
    set_long(setup, CURLOPT_TCP_KEEPALIVE, 1L);
    set_long(setup, CURLOPT_TCP_KEEPIDLE, 45L);
    set_long(setup, CURLOPT_TCP_KEEPINTVL, 15L);
    set_long(setup, CURLOPT_MAXAGE_CONN, 120L);
    /* Not asked for, see no_encoding; unpacked if it comes all the same, or if the owner asks. */
    set_pointer(setup, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    /* Ours is the one limit on connecting, and it has a name. */
    set_long(setup, CURLOPT_CONNECTTIMEOUT_MS, 24L * 3600 * 1000);
}

static bool has_http2(void)
{
    return curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
}

static void set_version(struct setup *setup, bool http1_only)
{
    if (http1_only || !has_http2()) {
        set_long(setup, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        set_long(setup, CURLOPT_PIPEWAIT, 0L);
        return;
    }
    set_long(setup, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    set_long(setup, CURLOPT_PIPEWAIT, 1L);
}

static void set_proxy(struct setup *setup, const struct rv_proxy *proxy)
{
    if (proxy->url)
        set_pointer(setup, CURLOPT_PROXY, proxy->url);
}

static void set_security(struct setup *setup, const struct rv_trust *trust)
{
    if (trust->file || trust->folder) {
        set_pointer(setup, CURLOPT_CAINFO, trust->file);
        set_pointer(setup, CURLOPT_CAPATH, trust->folder);
    }
}

static void set_body(struct setup *setup, const struct rv_http *http)
{
    set_long(setup, CURLOPT_POST, 1L);
    if (http->options.on_body) {
        curl_easy_setopt(setup->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)http->options.body_bytes);
        curl_easy_setopt(setup->easy, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(setup->easy, CURLOPT_READDATA, http->wire);
        curl_easy_setopt(setup->easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(setup->easy, CURLOPT_SEEKDATA, http->wire);
        return;
    }
    curl_easy_setopt(setup->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)http->body.len);
    set_pointer(setup, CURLOPT_POSTFIELDS, rv_buffer_text(&http->body));
}

int rv_easy_trust_file(struct rv_transfer *transfer, const char *file)
{
    struct setup setup = {transfer->easy, CURLE_OK};

    if (transfer->error_text)
        *transfer->error_text = '\0';
    set_pointer(&setup, CURLOPT_CAINFO, file);
    set_pointer(&setup, CURLOPT_CAPATH, NULL);
    return setup.result == CURLE_OK ? 0 : REEVE_ENOMEM;
}

static void set_method(struct setup *setup, const struct rv_http *http)
{
    const char *method = http->method;
    bool post = !strcmp(method, "POST");
    bool body = http->body.len || http->options.on_body;

    if (post || body)
        set_body(setup, http);
    else if (!strcmp(method, "HEAD"))
        set_long(setup, CURLOPT_NOBODY, 1L);
    if (!post && strcmp(method, "GET") && strcmp(method, "HEAD"))
        set_pointer(setup, CURLOPT_CUSTOMREQUEST, method);
    else if (!post && body)
        set_pointer(setup, CURLOPT_CUSTOMREQUEST, method);
}

/* ---- request headers ------------------------------------------------------------------------- */

/* What libcurl would send of its own accord, and must not unless the owner gave it. */
static char no_expect[] = "Expect:";
static char no_type[] = "Content-Type:";
static char user_agent[] = "User-Agent: reeve/" REEVE_VERSION_STRING;
static char no_encoding[] = "Accept-Encoding: identity";

static bool has_field(const struct rv_http *http, const char *name)
{
    const char *at = http->fields.data;
    const char *end = at + http->fields.len;
    size_t len = strlen(name);

    for (; at < end; at += strlen(at) + 1) {
        if (!strncasecmp(at, name, len) && at[len] == ':')
            return true;
    }
    return false;
}

static size_t add_field(struct curl_slist *list, size_t count, char *text)
{
    list[count].data = text;
    list[count].next = NULL;
    if (count)
        list[count - 1].next = &list[count];
    return count + 1;
}

/*
 * The list is made here and not by libcurl, which would copy the texts and free the copies without
 * wiping them. An empty value is written "name;" for libcurl: "name:" means to it not to send it.
 */
static int set_fields(struct setup *setup, struct rv_transfer *transfer)
{
    struct rv_http *http = transfer->http;
    char *at = http->fields.data;
    char *end = at + http->fields.len;
    size_t count = 0;

    transfer->fields =
        rv_alloc_array(http->mem, http->options.header_count + 4, sizeof *transfer->fields);
    if (!transfer->fields)
        return REEVE_ENOMEM;
    if (!has_field(http, "Expect"))
        count = add_field(transfer->fields, count, no_expect);
    if (!has_field(http, "Content-Type"))
        count = add_field(transfer->fields, count, no_type);
    if (!has_field(http, "Accept-Encoding"))
        count = add_field(transfer->fields, count, no_encoding);
    if (!has_field(http, "User-Agent"))
        count = add_field(transfer->fields, count, user_agent);
    while (at < end) {
        char *colon = strchr(at, ':');
        char *next = at + strlen(at) + 1;

        if (!colon[2])
            memcpy(colon, ";", 2);
        count = add_field(transfer->fields, count, at);
        at = next;
    }
    set_pointer(setup, CURLOPT_HTTPHEADER, transfer->fields);
    return 0;
}

bool rv_easy_is_plain(const struct rv_http *http)
{
    return !strcmp(http->method, "POST") && !http->options.on_body && !http->proxy.url &&
           !strchr(http->url, '@');
}

int rv_easy_prepare(void *easy)
{
    struct setup setup = {easy, CURLE_OK};

    set_callbacks(easy);
    set_behaviour(&setup);
    return setup.result == CURLE_OK ? 0 : REEVE_ENOMEM;
}

void rv_easy_forget(void *easy)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
}

int rv_easy_setup(struct rv_transfer *transfer, const struct rv_trust *trust, bool http1_only)
{
    struct rv_http *http = transfer->http;
    struct setup setup = {transfer->easy, CURLE_OK};
    int error;

    set_transfer(transfer->easy, transfer);
    error = set_error_text(transfer);
    if (error)
        return error;
    if (http->parsed_url.secure)
        set_security(&setup, trust);
    set_version(&setup, http1_only || http->options.http1_only || !http->parsed_url.secure);
    set_proxy(&setup, &http->proxy);
    set_pointer(&setup, CURLOPT_URL, http->url);
    set_method(&setup, http);
    error = set_fields(&setup, transfer);
    if (error)
        return error;
    return setup.result == CURLE_OK ? 0 : REEVE_ENOMEM;
}

/* ---- results --------------------------------------------------------------------------------- */

/* What libcurl says beyond the code is only told where it is about certificates and addresses; it
 * could hold what a server sent elsewhere. */
static const struct meaning {
    CURLcode result;
    int error;
    const char *detail;
} meanings[] = {
    {CURLE_OK, 0, NULL},
    {CURLE_OUT_OF_MEMORY, REEVE_ENOMEM, NULL},
    {CURLE_FAILED_INIT, REEVE_ENOMEM, NULL},
    {CURLE_OPERATION_TIMEDOUT, REEVE_ETIMEDOUT, NULL},
    {CURLE_COULDNT_RESOLVE_HOST, REEVE_ERESOLVE, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, REEVE_ERESOLVE, "its name is unknown"},
    {CURLE_COULDNT_CONNECT, REEVE_ECONNECT, NULL},
    {CURLE_INTERFACE_FAILED, REEVE_ECONNECT, NULL},
    {CURLE_PROXY, REEVE_ECONNECT, "it failed"},
    {CURLE_SSL_CONNECT_ERROR, REEVE_ETLS, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, REEVE_ETLS, NULL},
    {CURLE_SSL_CACERT_BADFILE, REEVE_ETLS, NULL},
    {CURLE_SSL_CRL_BADFILE, REEVE_ETLS, NULL},
    {CURLE_SSL_ISSUER_ERROR, REEVE_ETLS, NULL},
    {CURLE_SSL_CIPHER, REEVE_ETLS, NULL},
    {CURLE_SSL_CERTPROBLEM, REEVE_ETLS, NULL},
    {CURLE_SSL_ENGINE_NOTFOUND, REEVE_ETLS, NULL},
    {CURLE_SSL_ENGINE_SETFAILED, REEVE_ETLS, NULL},
    {CURLE_SSL_ENGINE_INITFAILED, REEVE_ETLS, NULL},
    {CURLE_SSL_INVALIDCERTSTATUS, REEVE_ETLS, NULL},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, REEVE_ETLS, NULL},
    {CURLE_SSL_CLIENTCERT, REEVE_ETLS, NULL},
    {CURLE_SSL_SHUTDOWN_FAILED, REEVE_ETLS, NULL},
    {CURLE_USE_SSL_FAILED, REEVE_ETLS, NULL},
    {CURLE_PARTIAL_FILE, REEVE_ECONNLOST, "it ended before the answer was complete"},
    {CURLE_GOT_NOTHING, REEVE_ECONNLOST, "the server closed it without an answer"},
    {CURLE_RECV_ERROR, REEVE_ECONNLOST, NULL},
    {CURLE_SEND_ERROR, REEVE_ECONNLOST, NULL},
    {CURLE_SEND_FAIL_REWIND, REEVE_ECONNLOST,
     "after a part of the body that cannot be given again"},
    {CURLE_HTTP2, REEVE_ECONNLOST, "HTTP/2 broke off"},
    {CURLE_HTTP2_STREAM, REEVE_ECONNLOST, "the server ended the HTTP/2 stream"},
    {CURLE_UNSUPPORTED_PROTOCOL, REEVE_EPROTOCOL, NULL},
    {CURLE_WEIRD_SERVER_REPLY, REEVE_EPROTOCOL, NULL},
    {CURLE_BAD_CONTENT_ENCODING, REEVE_EPROTOCOL, "its content encoding is unknown or broken"},
};

static struct meaning find_meaning(CURLcode result)
{
    struct meaning unknown = {result, REEVE_EPROTOCOL, curl_easy_strerror(result)};

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].result == result)
            return meanings[i];
    }
    return unknown;
}

/* There is a second file with OpenSSL and its kin only, whose verdicts these are (x509_vfy.h): the
 * certificate, or one that it leads to, is signed by nobody who is known. */
bool rv_easy_is_untrusted(struct rv_transfer *transfer, int result)
{
    static const long verdicts[] = {2, 18, 19, 20, 21};
    long verdict = 0;

    if ((CURLcode)result != CURLE_PEER_FAILED_VERIFICATION)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdict == verdicts[i])
            return true;
    }
    return false;
}

/* "Connection refused (127.0.0.1 port 9)" */
static const char *system_reason(struct rv_transfer *transfer, char *text, size_t size)
{
    char reason[128], host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *in4 = (const void *)&transfer->address;
    const struct sockaddr_in6 *in6 = &transfer->address;
    long code = transfer->socket_errno;
    unsigned port = ntohs(in4->sin_port);

    if (!code)
        curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &code);
    if (!code)
        return NULL;
    if (in6->sin6_family == AF_INET)
        inet_ntop(AF_INET, &in4->sin_addr, host, sizeof host);
    else if (in6->sin6_family == AF_INET6)
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(text, size, *host ? "%s (%s port %u)" : "%s",
             strerror_r((int)code, reason, sizeof reason), host, port);
    return text;
}

static const char *tls_reason(struct rv_transfer *transfer, CURLcode result, char *text,
                              size_t size)
{
    const char *said = transfer->error_text;
    const char *reason = said && *said ? said : curl_easy_strerror(result);

    snprintf(text, size, "%s", reason);
    return text;
}

/* What the code and the system say. NULL: nothing more. */
static const char *find_reason(struct rv_transfer *transfer, const struct meaning *meaning,
                               char *text, size_t size)
{
    if (meaning->error == REEVE_ETLS)
        return tls_reason(transfer, meaning->result, text, size);
    return meaning->detail ? meaning->detail : system_reason(transfer, text, size);
}

/*
 * A proxy that was asked for a tunnel answers in HTTP; libcurl takes its no for a lost connection,
 * and so it does what is no HTTP. Before the tunnel stands nothing but trust is the server's
 * affair.
 */
static int proxy_result(struct rv_transfer *transfer, const struct meaning *meaning, char *text,
                        size_t size, const char **ret_detail)
{
    const char *label = transfer->http->proxy.label;
    char room[256];
    const char *reason;
    long status = 0;

    *ret_detail = text;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status && status / 100 != 2) {
        snprintf(text, size, "the proxy %s refused with status %ld%s", label, status,
                 status == 407 ? ", it wants a user name and a password" : "");
        return REEVE_ECONNECT;
    }
    reason = find_reason(transfer, meaning, room, sizeof room);
    snprintf(text, size, "the proxy %s%s%s", label, reason ? ": " : " failed",
             reason ? reason : "");
    if (meaning->error == REEVE_ECONNLOST || meaning->error == REEVE_EPROTOCOL)
        return REEVE_ECONNECT;
    return meaning->error;
}

int rv_easy_result(struct rv_transfer *transfer, int result, char *text, size_t size,
                   const char **ret_detail)
{
    const struct rv_http *http = transfer->http;
    struct meaning meaning = find_meaning((CURLcode)result);

    *ret_detail = NULL;
    if (!meaning.error && !transfer->bad_encoding)
        return 0;
    if (transfer->bad_encoding)
        meaning = find_meaning(CURLE_BAD_CONTENT_ENCODING);
    if (http->proxy.label && http->state == RV_HTTP_CONNECTING && meaning.error != REEVE_ETLS &&
        meaning.error != REEVE_ENOMEM)
        return proxy_result(transfer, &meaning, text, size, ret_detail);
    *ret_detail = find_reason(transfer, &meaning, text, size);
    if (!*ret_detail && http->proxy.label && meaning.error == REEVE_EPROTOCOL) {
        snprintf(text, size, "it came by the proxy %s", http->proxy.label);
        *ret_detail = text;
    }
    return meaning.error;
}
