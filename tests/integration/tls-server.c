/* SPDX-License-Identifier: MIT */
#include "tests/integration/tls-server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_server {
    SSL_CTX *ctx;
    EVP_PKEY *key;
    X509 *cert;
    pthread_t thread;
    int fd;
    unsigned port;
    atomic_uint accepted;
    atomic_uint handshakes;
    atomic_bool stop;
    char folder[64];
    char file[96];
    char hashed[96];
};

static void must(int ok)
{
    if (!ok)
        abort();
}

/* ---- the certificate ------------------------------------------------------------------------- */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    must(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

static void make_cert(struct tls_server *server, const char *subject)
{
    X509_NAME *name;

    server->key = EVP_EC_gen("P-256");
    server->cert = X509_new();
    must(server->key && server->cert);
    X509_set_version(server->cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(server->cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(server->cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(server->cert), 3600);
    name = X509_get_subject_name(server->cert);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Test", -1, -1,
                                    0));
    must(X509_set_issuer_name(server->cert, name));
    must(X509_set_pubkey(server->cert, server->key));
    add_extension(server->cert, NID_subject_alt_name, subject);
    add_extension(server->cert, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(server->cert, server->key, EVP_sha256()) > 0);
}

static void write_cert(struct tls_server *server)
{
    FILE *file;

    strcpy(server->folder, "/tmp/reeve-tls-XXXXXX");
    must(mkdtemp(server->folder) != NULL);
    snprintf(server->file, sizeof server->file, "%s/cert.pem", server->folder);
    snprintf(server->hashed, sizeof server->hashed, "%s/%08lx.0", server->folder,
             X509_subject_name_hash(server->cert));
    file = fopen(server->file, "w");
    must(file != NULL);
    must(PEM_write_X509(file, server->cert));
    fclose(file);
    must(link(server->file, server->hashed) == 0);
}

/* ---- the server ------------------------------------------------------------------------------ */

static bool read_request(SSL *ssl)
{
    char text[8192];
    size_t len = 0;

    while (len < sizeof text - 1) {
        int got = SSL_read(ssl, text + len, (int)(sizeof text - 1 - len));

        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void serve(struct tls_server *server, int fd)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    SSL *ssl = SSL_new(server->ctx);

    must(ssl != NULL);
    atomic_fetch_add(&server->accepted, 1);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        atomic_fetch_add(&server->handshakes, 1);
        while (read_request(ssl))
            SSL_write(ssl, answer, sizeof answer - 1);
    }
    SSL_free(ssl);
    close(fd);
}

static void *run(void *arg)
{
    struct tls_server *server = arg;
    sigset_t pipe;

    /* OpenSSL writes to sockets that are gone. Only here: the client must not need this. */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    while (!atomic_load(&server->stop)) {
        int fd = accept(server->fd, NULL, NULL);

        if (fd >= 0)
            serve(server, fd);
    }
    return NULL;
}

static void listen_somewhere(struct tls_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(!bind(server->fd, (struct sockaddr *)&address, size) && !listen(server->fd, 16));
    must(!getsockname(server->fd, (struct sockaddr *)&address, &size));
    server->port = ntohs(address.sin_port);
}

struct tls_server *tls_server_new(const char *subject)
{
    struct tls_server *server = calloc(1, sizeof *server);

    must(server != NULL);
    make_cert(server, subject);
    write_cert(server);
    server->ctx = SSL_CTX_new(TLS_server_method());
    must(server->ctx && SSL_CTX_use_certificate(server->ctx, server->cert) == 1 &&
         SSL_CTX_use_PrivateKey(server->ctx, server->key) == 1);
    listen_somewhere(server);
    must(pthread_create(&server->thread, NULL, run, server) == 0);
    return server;
}

/* Clients must have gone: the thread reads until they do. */
void tls_server_free(struct tls_server *server)
{
    atomic_store(&server->stop, true);
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    SSL_CTX_free(server->ctx);
    X509_free(server->cert);
    EVP_PKEY_free(server->key);
    unlink(server->file);
    unlink(server->hashed);
    rmdir(server->folder);
    free(server);
}

unsigned tls_server_port(const struct tls_server *server)
{
    return server->port;
}

const char *tls_server_file(const struct tls_server *server)
{
    return server->file;
}

const char *tls_server_folder(const struct tls_server *server)
{
    return server->folder;
}

unsigned tls_server_handshakes(struct tls_server *server)
{
    return atomic_load(&server->handshakes);
}

unsigned tls_server_accepted(struct tls_server *server)
{
    return atomic_load(&server->accepted);
}
