/* SPDX-License-Identifier: MIT */
/* The names are those of Unicode's PropertyValueAliases.txt for General_Category. */
#include "base/pattern_names.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    const char *category;
} categories[] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

static bool drop(const char **at, const char *end, const char *prefix)
{
    const size_t len = strlen(prefix);

    if ((size_t)(end - *at) < len || memcmp(*at, prefix, len) != 0)
        return false;
    *at += len;
    return true;
}

/* The short name for what stands between the braces; NULL: PCRE2 may know it. */
static const char *category_of(const char *at, const char *end)
{
    size_t i;

    if (!drop(&at, end, "General_Category="))
        drop(&at, end, "gc=");
    for (i = 0; i < sizeof categories / sizeof *categories; i++)
        if (strlen(categories[i].name) == (size_t)(end - at) &&
            !memcmp(categories[i].name, at, (size_t)(end - at)))
            return categories[i].category;
    return NULL;
}

/* A backslash and what belongs to it, or one byte. */
static size_t copy_piece(const char *at, const char *end, char *out, const char **ret_next)
{
    const char *brace, *category;
    size_t len;

    *ret_next = at + (*at == '\\' && end - at > 1 ? 2 : 1);
    len = (size_t)(*ret_next - at);
    memcpy(out, at, len);
    if (len < 2 || (at[1] != 'p' && at[1] != 'P') || end - at < 4 || at[2] != '{')
        return len;
    brace = memchr(at, '}', (size_t)(end - at));
    category = brace ? category_of(at + 3, brace) : NULL;
    if (!category)
        return len;
    *ret_next = brace + 1;
    out[2] = '{';
    len = strlen(category);
    memcpy(out + 3, category, len);
    out[3 + len] = '}';
    return 4 + len;
}

size_t rv_pattern_shorten_names(const char *text, size_t len, char *ret)
{
    const char *const end = text + len;
    size_t out = 0;

    while (text < end)
        out += copy_piece(text, end, ret + out, &text);
    return out;
}
