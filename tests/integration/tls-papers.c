/* SPDX-License-Identifier: MIT */
/* Two keys and two certificates, for an hour. */
#include "tests/integration/tls-papers.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum { AN_HOUR = 3600 };

static void must(int ok)
{
    if (!ok)
        abort();
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    must(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

/* Not signed yet. */
static X509 *make_cert(EVP_PKEY *key, const char *name, long serial)
{
    X509 *cert = X509_new();

    must(cert != NULL);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -AN_HOUR);
    X509_gmtime_adj(X509_getm_notAfter(cert), AN_HOUR);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                    (const unsigned char *)name, -1, -1, 0));
    must(X509_set_pubkey(cert, key));
    return cert;
}

static void sign(X509 *cert, X509 *by, EVP_PKEY *key)
{
    must(X509_set_issuer_name(cert, X509_get_subject_name(by)));
    must(X509_sign(cert, key, EVP_sha256()) > 0);
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    must(file != NULL);
    return file;
}

static void write_cert(const char *folder, const char *name, X509 *cert)
{
    FILE *file = open_in(folder, name);

    must(PEM_write_X509(file, cert));
    fclose(file);
}

static void write_key(const char *folder, const char *name, EVP_PKEY *key)
{
    FILE *file = open_in(folder, name);

    must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
}

void tls_papers_write(const char *folder, const char *names)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca, *cert;

    must(ca_key && key);
    ca = make_cert(ca_key, "Test authority", 1);
    add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
    sign(ca, ca, ca_key);
    cert = make_cert(key, "Test server", 2);
    add_extension(cert, NID_subject_alt_name, names);
    sign(cert, ca, ca_key);
    write_cert(folder, "ca.pem", ca);
    write_cert(folder, "cert.pem", cert);
    write_key(folder, "key.pem", key);
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}
