/* SPDX-License-Identifier: MIT */
/* Names and texts of the error codes, from the one table in reeve/error.h. */
#include <reeve/error.h>

#include "base/export.h"

RV_EXPORT const char *reeve_error_name(int code)
{
    switch (code) {
    case REEVE_OK:
        return "REEVE_OK";
#define NAME_CASE(name, value, text)                                                               \
    case value:                                                                                    \
        return "REEVE_" #name;
        REEVE_ERROR_TABLE(NAME_CASE)
#undef NAME_CASE
    default:
        return "REEVE_E?";
    }
}

RV_EXPORT const char *reeve_error_text(int code)
{
    switch (code) {
    case REEVE_OK:
        return "no error";
#define TEXT_CASE(name, value, text)                                                               \
    case value:                                                                                    \
        return text;
        REEVE_ERROR_TABLE(TEXT_CASE)
#undef TEXT_CASE
    default:
        return "an error unknown to this version";
    }
}
