/* SPDX-License-Identifier: MIT */
/* Finding the certificates, once for a runtime. */
#include "io/http_trust.h"

#include <curl/curl.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <reeve/error.h>

enum { HASH_DIGITS = 8, MAX_ENTRIES_READ = 1000 };

static bool is_hashed_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == HASH_DIGITS && name[HASH_DIGITS] == '.' &&
           name[HASH_DIGITS + 1] >= '0' && name[HASH_DIGITS + 1] <= '9';
}

static bool is_hashed_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool hashed = false;

    if (!folder)
        return false;
    for (int i = 0; i < MAX_ENTRIES_READ && !hashed; i++) {
        entry = readdir(folder);
        if (!entry)
            break;
        hashed = is_hashed_name(entry->d_name);
    }
    closedir(folder);
    return hashed;
}

/* Others than OpenSSL and its kin read such a folder whole. */
static bool looks_up_by_hash(const char *tls)
{
    return tls && (!strncmp(tls, "OpenSSL/", 8) || !strncmp(tls, "quictls/", 8) ||
                   !strncmp(tls, "LibreSSL/", 9));
}

static int copy(struct rv_mem *mem, const char *text, char **ret_text)
{
    if (*ret_text || !text || !*text)
        return 0;
    *ret_text = rv_strdup(mem, text);
    return *ret_text ? 0 : REEVE_ENOMEM;
}

/* The file alone: libcurl keeps what it loaded for all connections only if there is no folder. */
static int find_system(struct rv_mem *mem, struct rv_trust *trust)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    if (!info->capath || !looks_up_by_hash(info->ssl_version) || !is_hashed_folder(info->capath))
        return copy(mem, info->cainfo, &trust->file);
    if (copy(mem, info->capath, &trust->folder))
        return REEVE_ENOMEM;
    return copy(mem, info->cainfo, &trust->second_file);
}

int rv_trust_find(struct rv_mem *mem, const char *file, struct rv_trust *ret_trust)
{
    struct rv_trust trust = {.file = NULL};
    int error;

    error = copy(mem, file, &trust.file);
    if (!error && !file)
        error = copy(mem, secure_getenv("CURL_CA_BUNDLE"), &trust.file);
    if (!error && !file)
        error = copy(mem, secure_getenv("SSL_CERT_FILE"), &trust.file);
    if (!error && !file)
        error = copy(mem, secure_getenv("SSL_CERT_DIR"), &trust.folder);
    if (!error && !trust.file && !trust.folder)
        error = find_system(mem, &trust);
    if (error)
        rv_trust_done(mem, &trust);
    else
        *ret_trust = trust;
    return error;
}

void rv_trust_done(struct rv_mem *mem, struct rv_trust *trust)
{
    rv_free(mem, trust->file);
    rv_free(mem, trust->folder);
    rv_free(mem, trust->second_file);
    *trust = (struct rv_trust){.file = NULL};
}

void rv_trust_adopt(struct rv_mem *mem, struct rv_trust *trust)
{
    if (!trust->second_file)
        return;
    rv_free(mem, trust->file);
    rv_free(mem, trust->folder);
    trust->file = trust->second_file;
    trust->folder = NULL;
    trust->second_file = NULL;
}
