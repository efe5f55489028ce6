/* SPDX-License-Identifier: MIT */
/* SHA-256: the standard's examples, any pieces, and no memory (libcrypto's own: digest-memory.c).
 */
#include "tests/lib/test.h"

#include "base/digest.h"

#include <reeve/error.h>
#include <string.h>

static struct rv_digest *new_digest(struct rv_test *t)
{
    struct rv_digest *digest;

    cr_assert_eq(rv_digest_new(t->mem, &digest), 0);
    return digest;
}

static void expect(const unsigned char digest[RV_DIGEST_BYTES], const char *wanted)
{
    char hex[RV_DIGEST_HEX_BYTES];

    rv_digest_hex(digest, hex);
    cr_assert_str_eq(hex, wanted);
}

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* FIPS 180-4's examples. */
RV_TEST(digest, is_sha256)
{
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"", of_nothing},
        {"abc", of_abc},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct rv_digest *digest = new_digest(t);
    unsigned char out[RV_DIGEST_BYTES];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(rv_digest_of(digest, cases[i].text, strlen(cases[i].text), out), 0);
        expect(out, cases[i].hex);
    }
    for (i = 0; i < 10000; i++)
        rv_digest_add(digest,
                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                      100);
    cr_assert_eq(rv_digest_end(digest, out), 0);
    expect(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    rv_digest_free(digest);
    rv_digest_free(NULL);
}

RV_TEST(digest, does_not_care_about_pieces)
{
    struct rv_digest *digest = new_digest(t);
    unsigned char whole[RV_DIGEST_BYTES], pieces[RV_DIGEST_BYTES];
    char text[300];
    size_t i, cut;

    for (i = 0; i < sizeof text; i++)
        text[i] = (char)rv_test_random(t);
    cr_assert_eq(rv_digest_of(digest, text, sizeof text, whole), 0);
    for (cut = 0; cut <= sizeof text; cut++) {
        rv_digest_add(digest, text, cut);
        rv_digest_add(digest, NULL, 0);
        rv_digest_add(digest, text + cut, sizeof text - cut);
        cr_assert_eq(rv_digest_end(digest, pieces), 0);
        cr_assert(!memcmp(whole, pieces, sizeof whole));
    }
    rv_digest_free(digest);
}

RV_TEST(digest, can_be_looked_at_on_the_way)
{
    struct rv_digest *digest = new_digest(t);
    unsigned char out[RV_DIGEST_BYTES];

    cr_assert_eq(rv_digest_peek(digest, out), 0);
    expect(out, of_nothing);
    rv_digest_add(digest, "ab", 2);
    cr_assert_eq(rv_digest_peek(digest, out), 0);
    rv_digest_add(digest, "c", 1);
    cr_assert_eq(rv_digest_peek(digest, out), 0);
    expect(out, of_abc);
    cr_assert_eq(rv_digest_peek(digest, out), 0);
    expect(out, of_abc);
    cr_assert_eq(rv_digest_end(digest, out), 0);
    expect(out, of_abc);
    cr_assert_eq(rv_digest_end(digest, out), 0);
    expect(out, of_nothing);
    rv_digest_add(digest, "something else", 14);
    rv_digest_reset(digest);
    rv_digest_add(digest, "abc", 3);
    cr_assert_eq(rv_digest_end(digest, out), 0);
    expect(out, of_abc);
    rv_digest_free(digest);
}

static int scenario(struct rv_test *t, void *arg)
{
    struct rv_digest *digest;
    int error = rv_digest_new(t->mem, &digest);

    (void)arg;
    if (!error)
        rv_digest_free(digest);
    return error;
}

RV_TEST(digest, survives_allocation_failure)
{
    RV_SWEEP_ALLOCATIONS(t, scenario, NULL, 1);
}
