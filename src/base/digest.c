/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 by libcrypto. A context that is begun again for the same algorithm allocates nothing, so
 * that after rv_digest_new only a copy (in rv_digest_peek) can lack memory. What fails there leaves
 * no trace in libcrypto's queue of errors, which is the host's.
 */
#include "base/digest.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include <reeve/error.h>

struct rv_digest {
    struct rv_mem *mem;
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    EVP_MD_CTX *copy; /* for peeking */
    bool begun;       /* `context` is in use, or fresh and ready */
    bool failed;
};

/* EVP_sha256 would look the implementation up anew at each use; OpenSSL 1.1.1 knows only that. */
static EVP_MD *find_algorithm(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return EVP_MD_fetch(NULL, "SHA256", NULL);
#else
    return EVP_MD_meth_dup(EVP_sha256());
#endif
}

static void drop_algorithm(EVP_MD *algorithm)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    EVP_MD_free(algorithm);
#else
    EVP_MD_meth_free(algorithm);
#endif
}

static int begin(struct rv_digest *digest)
{
    if (digest->begun)
        return 0;
    if (!EVP_DigestInit_ex(digest->context, digest->algorithm, NULL))
        return REEVE_ENOMEM;
    digest->begun = true;
    return 0;
}

static int set_up(struct rv_digest *digest)
{
    digest->context = EVP_MD_CTX_new();
    digest->copy = EVP_MD_CTX_new();
    if (!digest->context || !digest->copy)
        return REEVE_ENOMEM;
    digest->algorithm = find_algorithm();
    if (!digest->algorithm)
        return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_UNSUPPORTED ? REEVE_EUNSUPPORTED
                                                                          : REEVE_ENOMEM;
    return begin(digest);
}

int rv_digest_new(struct rv_mem *mem, struct rv_digest **ret_digest)
{
    struct rv_digest *digest = rv_zalloc(mem, sizeof *digest);
    int error;

    if (!digest)
        return REEVE_ENOMEM;
    digest->mem = rv_mem_ref(mem);
    ERR_set_mark();
    error = set_up(digest);
    ERR_pop_to_mark();
    if (error) {
        rv_digest_free(digest);
        return error;
    }
    *ret_digest = digest;
    return 0;
}

void rv_digest_free(struct rv_digest *digest)
{
    struct rv_mem *mem;

    if (!digest)
        return;
    mem = digest->mem;
    EVP_MD_CTX_free(digest->context);
    EVP_MD_CTX_free(digest->copy);
    drop_algorithm(digest->algorithm);
    rv_free(mem, digest);
    rv_mem_unref(mem);
}

void rv_digest_reset(struct rv_digest *digest)
{
    digest->begun = false;
    digest->failed = false;
}

void rv_digest_add(struct rv_digest *digest, const void *bytes, size_t len)
{
    if (digest->failed || !len)
        return;
    digest->failed = begin(digest) || !EVP_DigestUpdate(digest->context, bytes, len);
}

/* Ends `context`, which may be the copy. */
static int conclude(struct rv_digest *digest, EVP_MD_CTX *context,
                    unsigned char ret[RV_DIGEST_BYTES])
{
    unsigned char bytes[RV_DIGEST_BYTES];

    if (digest->failed || begin(digest))
        return REEVE_ENOMEM;
    if (context == digest->copy && !EVP_MD_CTX_copy_ex(context, digest->context))
        return REEVE_ENOMEM;
    if (!EVP_DigestFinal_ex(context, bytes, NULL))
        return REEVE_ENOMEM;
    memcpy(ret, bytes, sizeof bytes);
    return 0;
}

int rv_digest_end(struct rv_digest *digest, unsigned char ret[RV_DIGEST_BYTES])
{
    int error = conclude(digest, digest->context, ret);

    rv_digest_reset(digest);
    return error;
}

int rv_digest_peek(struct rv_digest *digest, unsigned char ret[RV_DIGEST_BYTES])
{
    int error;

    ERR_set_mark();
    error = conclude(digest, digest->copy, ret);
    ERR_pop_to_mark();
    return error;
}

int rv_digest_of(struct rv_digest *digest, const void *bytes, size_t len,
                 unsigned char ret[RV_DIGEST_BYTES])
{
    rv_digest_reset(digest);
    rv_digest_add(digest, bytes, len);
    return rv_digest_end(digest, ret);
}

void rv_digest_hex(const unsigned char digest[RV_DIGEST_BYTES], char ret[RV_DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < RV_DIGEST_BYTES; i++) {
        *ret++ = digits[digest[i] >> 4];
        *ret++ = digits[digest[i] & 0xF];
    }
    *ret = '\0';
}
