# SPDX-License-Identifier: MIT
# Public headers in, manual pages out; see scripts/manual.
#
# What it understands of a header:
#  - The first comment that is not the licence is what the page is about; its first sentence is the
#    page's line in NAME.
#  - What a header includes of the others, what includes it and what its text names is in SEE ALSO.
#  - A comment stands over what follows it without a blank line between, be that one declaration or
#    several. One that nothing follows belongs to the page.
#  - In a struct or an enum a comment stands over the member that follows, or behind its member.
#  - A blank line in a comment begins a paragraph, "- " an item of a list; what is indented by two
#    blanks or more is code. `name` is a name of code. Names of functions, constants, members and
#    parameters that hold a "_" are seen without quotes.
#  - #define TABLE(X) with rows X(name, …, "text") is expanded in the enum that uses it.
# What it does not understand ends it with status 1 and the line's number.

# ---- reading ----------------------------------------------------------------------------------------

FNR == 1 {
    if (NR > 1)
        parse_header()
    begin_header(FILENAME)
}
{ line[++lines] = $0 }
END {
    if (failed)
        exit 1
    if (lines)
        parse_header()
    for (page = 1; page <= pages; page++)
        write_page(page)
}

function fail(what) {
    print "manual: " header_path[pages] ":" at ": " what >"/dev/stderr"
    failed = 1
    exit 1
}

function begin_header(path) {
    pages++
    header_path[pages] = path
    sub(/^.*include\//, "", path)
    header[pages] = path
    sub(/\.h$/, "", path)
    gsub(/\//, "_", path)
    page_name[pages] = path
    page_of[path] = pages
    lines = 0
}

function parse_header() {
    group = 0
    for (at = 1; at <= lines;) {
        if (line[at] ~ /^[ \t]*$/)
            end_group()
        else if (line[at] ~ /^\/\*/)
            take_comment(read_comment(line[at]))
        else if (line[at] ~ /^#/)
            parse_directive()
        else
            parse_declaration()
    }
    end_group()
}

# A comment that stood over nothing is about the page.
function end_group() {
    if (group && !group_used[group])
        about[pages] = about[pages] "\n\n" group_text[group]
    group = 0
    at++
}

function take_comment(text) {
    at++
    if (text ~ /SPDX-License-Identifier|Generated from .* by configure/)
        return
    if (!about[pages]) {
        about[pages] = text
        return
    }
    if (group && !group_used[group])
        text = group_text[group] "\n\n" text
    open_group(text)
}

function open_group(text) {
    group = ++groups
    group_text[group] = text
}

# The text of the comment that begins in `s`, a part of line[at]; `at` is moved to its last line.
function read_comment(s,   text, indent) {
    sub(/^[ \t]*\/\*+[ \t]?/, "", s)
    while (s !~ /\*\//) {
        text = text s "\n"
        if (++at > lines)
            fail("a comment without an end")
        s = line[at]
        if (s ~ /^[ \t]*\*\//)
            s = "*/"
        else if (!sub(/^[ \t]*\*[ ]?/, "", s))
            sub(/^[ \t]*/, "", s)
    }
    sub(/[ \t]*\*\/.*$/, "", s)
    text = text s
    sub(/^\n+/, "", text)
    sub(/[ \n]+$/, "", text)
    return text
}

function parse_directive(   name) {
    if (line[at] ~ /^#[ \t]*include[ \t]*<reeve\//) {
        name = line[at]
        gsub(/^[^<]*<|>.*$/, "", name)
        includes[pages, ++include_count[pages]] = name
    } else if (line[at] ~ /^#[ \t]*ifdef[ \t]+__cplusplus/) {
        while (line[at] !~ /^#[ \t]*endif/)
            if (++at > lines)
                fail("#ifdef __cplusplus without an end")
    } else if (line[at] ~ /^#[ \t]*define/) {
        parse_macro()
        return
    }
    at++
}

function parse_macro(   text, name, arguments) {
    text = line[at]
    while (text ~ /\\[ \t]*$/) {
        sub(/[ \t]*\\[ \t]*$/, " ", text)
        text = text line[++at]
    }
    at++
    sub(/^#[ \t]*define[ \t]+/, "", text)
    name = text
    sub(/[^A-Za-z0-9_].*$/, "", name)
    text = substr(text, length(name) + 1)
    if (text ~ /^\(/) {
        arguments = substr(text, 1, index(text, ")"))
        text = substr(text, length(arguments) + 1)
    }
    sub(/\/\*.*$/, "", text)
    text = squeeze(text)
    if (text == "")
        return
    add_item(arguments != "" && name ~ /^[a-z]/ ? "call" : "macro", name)
    item_arguments[items] = arguments
    item_body[items] = text
}

function squeeze(s) {
    gsub(/[ \t\n]+/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    return s
}

function add_item(kind, name) {
    if (!group)
        open_group("")
    group_used[group] = 1
    group_page[group] = pages
    item_kind[++items] = kind
    item_name[items] = name
    item_page[items] = pages
    item_group[items] = group
    if (kind == "call" || kind == "function")
        function_page[name] = pages
    else if (kind == "struct" || kind == "enum")
        type_page[name] = pages
}

# Up to the ; that ends it. What has a body with members is read line by line.
function parse_declaration(   text, name, start) {
    start = at
    if (line[at] ~ /^(struct|enum|union)[ \t]+[A-Za-z0-9_]+[ \t]*\{/) {
        name = line[at]
        sub(/^[a-z]+[ \t]+/, "", name)
        sub(/[ \t]*\{.*$/, "", name)
        add_item(line[at] ~ /^enum/ ? "enum" : "struct", name)
        item_body[items] = squeeze(substr(line[at], 1, index(line[at], "{") - 1))
        parse_members()
        return
    }
    while (line[at] !~ /;/) {
        text = text " " line[at]
        if (++at > lines || line[at] ~ /^[ \t]*$/) {
            at = start
            fail("a declaration without an end: " line[start])
        }
    }
    text = text " " line[at++]
    sub(/;.*$/, "", text)
    parse_simple(squeeze(text), start)
}

function parse_simple(text, start,   name) {
    if (text ~ /^struct [A-Za-z0-9_]+$/) {
        name = substr(text, 8)
        if (name ~ /^reeve_/)
            add_item("opaque", name)
    } else if (text ~ /^typedef /) {
        name = text
        sub(/^.*[^A-Za-z0-9_]/, "", name)
        add_item("struct", name)
        item_body[items] = text
    } else if (text ~ /^[A-Za-z_].*[ *][a-z_0-9]+\(.*\)/) {
        name = substr(text, 1, index(text, "(") - 1)
        sub(/^.*[ *]/, "", name)
        add_item("function", name)
        item_body[items] = text
    } else {
        at = start
        fail("not understood: " text)
    }
}

# ---- members of structs and enums -------------------------------------------------------------------

function parse_members(   item, declaration, over, s) {
    item = items
    for (at++; line[at] !~ /^\}/; at++) {
        if (at > lines)
            fail("a body without an end")
        s = line[at]
        if (s ~ /^[ \t]*\/\*/) {
            over = over (over == "" ? "" : "\n\n") read_comment(s)
        } else if (s ~ /^[ \t]*#/) {
            parse_row_maker(s)
        } else if (s ~ /^[ \t]*[A-Z_0-9]+\([A-Z_0-9]+\)[ \t]*$/) {
            expand_table(item, squeeze(s))
        } else if (s !~ /^[ \t]*$/) {
            declaration = declaration " " squeeze(s)
            if (s ~ /[;,][ \t]*(\/\*.*)?$/ && (s ~ /;/ || item_kind[item] == "enum") ||
                item_kind[item] == "enum" && line[at + 1] ~ /^\}/) {
                add_member(item, declaration, over)
                declaration = over = ""
            }
        }
    }
    at++
    if (over != "")
        group_text[group] = group_text[group] "\n\n" over
}

# The comment behind a member may go on for some lines.
function add_member(item, declaration, over,   behind, start) {
    start = index(declaration, "/*")
    if (start) {
        behind = read_comment(substr(line[at], index(line[at], "/*")))
        declaration = substr(declaration, 1, start - 1)
    }
    sub(/[ ]*[;,][ ]*$/, "", declaration)
    member_text[item, ++member_count[item]] = over (over == "" || behind == "" ? "" : "\n\n") behind
    member[item, member_count[item]] = squeeze(declaration)
}

# #define MAKER(name, value, text) PREFIX_##name = (value),
function parse_row_maker(s,   name) {
    if (s !~ /^[ \t]*#[ \t]*define/)
        return
    sub(/^[ \t]*#[ \t]*define[ \t]+/, "", s)
    name = substr(s, 1, index(s, "(") - 1)
    maker_parameters[name] = substr(s, length(name) + 2, index(s, ")") - length(name) - 2)
    maker[name] = substr(s, index(s, ")") + 1)
}

# TABLE(MAKER), with TABLE an earlier macro.
function expand_table(item, use,   i, name, maker_name, rest, row) {
    name = substr(use, 1, index(use, "(") - 1)
    maker_name = substr(use, length(name) + 2, length(use) - length(name) - 2)
    for (i = items; i > 0 && item_name[i] != name; i--)
        continue
    if (!i || !(maker_name in maker))
        fail("a table or what makes its rows is not known: " use)
    rest = item_body[i]
    while (match(rest, /X\(/)) {
        rest = substr(rest, RSTART + 2)
        row = up_to_close(rest)
        rest = substr(rest, length(row) + 1)
        add_row(item, maker_name, row)
    }
}

function add_row(item, name, row,   columns, i, parameters, text, s, cells) {
    columns = split_arguments(row, cells)
    split(maker_parameters[name], parameters, /[ ]*,[ ]*/)
    s = maker[name]
    for (i = 1; i <= columns; i++) {
        gsub("[ ]*##[ ]*" parameters[i], cells[i], s)
        gsub(parameters[i] "([ ]*##[ ]*)?", cells[i], s)
        if (cells[i] ~ /^"/)
            text = cells[i]
    }
    gsub(/^"|"$/, "", text)
    sub(/,[ ]*$/, "", s)
    gsub(/[()]/, "", s)
    member[item, ++member_count[item]] = squeeze(s)
    member_text[item, member_count[item]] = text
}

# What stands before the ) that closes `s`, an inside of parentheses; quotes are respected.
function up_to_close(s,   i, c, depth, in_quotes) {
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (in_quotes && c == "\\")
            i++
        else if (c == "\"")
            in_quotes = !in_quotes
        else if (!in_quotes && c == "(")
            depth++
        else if (!in_quotes && c == ")" && depth-- == 0)
            return substr(s, 1, i - 1)
    }
    return s
}

# Splits at the commas that stand in no parentheses and no quotes.
function split_arguments(s, ret,   i, c, depth, in_quotes, count, from) {
    from = 1
    for (i = 1; i <= length(s) + 1; i++) {
        c = substr(s, i, 1)
        if (in_quotes && c == "\\")
            i++
        else if (c == "\"")
            in_quotes = !in_quotes
        else if (!in_quotes && (c == "(" || c == "["))
            depth++
        else if (!in_quotes && (c == ")" || c == "]"))
            depth--
        else if (c == "" || !in_quotes && depth == 0 && c == ",") {
            ret[++count] = squeeze(substr(s, from, i - from))
            from = i + 1
        }
    }
    return count
}

# ---- prose ------------------------------------------------------------------------------------------

# What a text of code looks like in roff.
function escape_code(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    gsub(/'/, "\\(aq", s)
    gsub(/`/, "\\(ga", s)
    gsub(/\^/, "\\(ha", s)
    gsub(/~/, "\\(ti", s)
    gsub(/…/, "...", s)
    return s
}

# As an argument of a macro, in quotes.
function quoted(s) {
    s = escape_code(s)
    gsub(/"/, "\\(dq", s)
    return "\"" s "\""
}

function note_reference(name, page) {
    if (page != page_of[name] && !((page, name) in seen)) {
        seen[page, name] = 1
        references[page, ++reference_count[page]] = name
    }
}

# A word of prose that is a name of code, or looks like one; `before` and `after` stand around it.
function mark_name(name, page, is_code, after,   there) {
    if (name in function_page) {
        there = function_page[name]
        note_reference(page_name[there], page)
        if (after == "(")
            return "\\fB" name "\\fR"
        return "\\fB" name "\\fR" (there == page ? "()" : "(3)")
    }
    if (name ~ /^reeve_/ || name ~ /^REEVE_/)
        return "\\fB" name "\\fR"
    if (is_code || name ~ /_/ && name in code_name)
        return "\\fI" escape_code(name) "\\fR"
    return name
}

function header_reference(path, page,   name) {
    name = path
    sub(/\.h$/, "", name)
    gsub(/\//, "_", name)
    if (!(name in page_of) || page_of[name] == page)
        return "\\fB<" path ">\\fR"
    note_reference(name, page)
    return "\\fB" name "\\fR(3)"
}

# One paragraph of prose, its line breaks where they were.
function inline(s, page,   out, word, c, before) {
    while (s != "") {
        c = substr(s, 1, 1)
        if (match(s, /^`[^`]+`/))
            out = out mark_name(substr(s, 2, RLENGTH - 2), page, 1, substr(s, RLENGTH + 1, 1))
        else if (match(s, /^reeve(\/[a-z0-9_]+)?\.h/))
            out = out header_reference(substr(s, 1, RLENGTH), page)
        else if (match(s, /^[A-Za-z0-9_]+/))
            out = out mark_name(substr(s, 1, RLENGTH), page, 0, substr(s, RLENGTH + 1, 1))
        else if (match(s, /^…/))
            out = out "..."
        else {
            RLENGTH = 1
            if (c == "-" && before ~ /[A-Za-z]/ && substr(s, 2, 1) ~ /[A-Za-z]/)
                out = out c
            else
                out = out (c == "'" ? c : escape_code(c))
        }
        before = substr(s, RLENGTH, 1)
        s = substr(s, RLENGTH + 1)
    }
    gsub(/\n\./, "\n\\\\\\&.", out)
    gsub(/\n'/, "\n\\\\\\&'", out)
    if (out ~ /^[.']/)
        out = "\\&" out
    return out
}

# A comment as paragraphs; the second and later ones begin with `macro` (.PP, or .IP in a list).
function prose(text, page, macro,   count, i, rows, kind, last, block, written) {
    gsub(/\.[ \n]Returns /, ".\n\nReturns ", text)
    count = split(text, rows, "\n")
    for (i = 1; i <= count + 1; i++) {
        if (i > count || rows[i] ~ /^[ \t]*$/)
            kind = ""
        else if (rows[i] ~ /^- /)
            kind = "item"
        else if (rows[i] ~ /^  / && last != "item" && last != "text")
            kind = "code"
        else
            kind = last == "" || last == "code" ? "text" : last
        if (last != "" && (kind != last || kind == "item" && rows[i] ~ /^- /)) {
            paragraph(block, last, written++ ? macro : "", page)
            block = ""
        }
        if (kind != "")
            block = block (block == "" ? "" : "\n") rows[i]
        last = kind
    }
}

function paragraph(block, kind, macro, page) {
    if (kind == "code") {
        match(block, /^ +/)
        gsub("\n" substr(block, 1, RLENGTH), "\n", block)
        put((macro == "" ? "" : macro "\n") ".EX\n" escape_lines(substr(block, RLENGTH + 1)) "\n.EE\n.nh")
    } else if (kind == "item") {
        gsub(/\n[ \t]+/, "\n", block)
        put(".IP \\(bu 2\n" inline(sentences(substr(block, 3)), page))
    } else {
        gsub(/\n[ \t]+/, "\n", block)
        put((macro == "" ? "" : macro "\n") inline(sentences(block), page))
    }
}

# Each sentence begins a line, by which roff knows where one has ended.
function sentences(s,   out, end) {
    while (match(s, /[.?!]\)? [A-Z`"*]/)) {
        end = RSTART + RLENGTH - 3
        out = out substr(s, 1, end) "\n"
        s = substr(s, end + 2)
    }
    return out s
}

function escape_lines(s) {
    s = escape_code(s)
    gsub(/\n\./, "\n\\\\\\&.", s)
    gsub(/\n\\\(aq/, "\n\\\\\\&\\(aq", s)
    return s
}

function put(s) {
    print s >file
}

# ---- declarations -----------------------------------------------------------------------------------

# Finds the declared name in a declaration without parameters, "const char *text[4]": before_name,
# its_name, after_name.
function split_declared(s) {
    before_name = s
    its_name = after_name = ""
    if (match(s, /\(\*[A-Za-z0-9_]+\)/)) {
        before_name = substr(s, 1, RSTART + 1)
        its_name = substr(s, RSTART + 2, RLENGTH - 3)
        after_name = substr(s, RSTART + RLENGTH - 1)
        return
    }
    if (match(before_name, /(\[[^]]*\])+$/)) {
        after_name = substr(before_name, RSTART)
        before_name = substr(before_name, 1, RSTART - 1)
    }
    if (before_name ~ /[ *]/ && match(before_name, /[A-Za-z0-9_]+$/)) {
        its_name = substr(before_name, RSTART)
        before_name = substr(before_name, 1, RSTART - 1)
    }
}

# A row of the declaration being put together: pieces in turn bold and italic, for .BI.
function row_add(bold, italic) {
    row_bold = row_bold bold
    row_width += length(bold) + length(italic)
    if (italic != "") {
        row = row " " quoted(row_bold) " " italic
        row_bold = ""
    }
}

function row_end() {
    if (row_bold != "")
        row = row " " quoted(row_bold)
    if (row != "")
        put((row ~ /^ "[^"]*"$/ ? ".B" : ".BI") row)
    row = row_bold = ""
    row_width = 0
}

# start, "(", the parameters over as many rows as they need, ");".
function put_prototype(start, name, parameters, end,   count, i, indent, list, width) {
    row_add(start, name)
    row_add(name == "" ? "(" : ")(", "")
    count = split_arguments(parameters, list)
    indent = row_width
    if (row_width + length(list[1]) > 70) {
        indent = 8
        row_end()
        row_add(sprintf("%" indent "s", ""), "")
    }
    for (i = 1; i <= count; i++) {
        split_declared(list[i])
        if (its_name != "")
            code_name[its_name] = 1
        width = length(list[i]) + 2
        if (i > 1 && row_width + width > 70) {
            row_end()
            row_add(sprintf("%" indent "s", ""), "")
        } else if (i > 1) {
            row_add(" ", "")
        }
        row_add(before_name, its_name)
        row_add(after_name (i < count ? "," : ")" end), "")
    }
    row_end()
}

function put_function(item,   text, open, inside) {
    if (item_kind[item] == "call") {
        put_call_macro(item)
        return
    }
    text = item_body[item]
    open = index(text, "(")
    inside = up_to_close(substr(text, open + 1))
    put_prototype(substr(text, 1, open - 1), "", inside, ";")
}

# A macro that hands its first argument to a function of its group is shown with that type.
function put_call_macro(item,   i, open, list, inner) {
    inner = item_body[item]
    sub(/[^A-Za-z0-9_].*$/, "", inner)
    for (i = 1; i <= items; i++)
        if (item_kind[i] == "function" && item_name[i] == inner)
            break
    if (i > items) {
        put(".B " quoted(item_name[item] item_arguments[item]))
        return
    }
    open = index(item_body[i], "(")
    split_arguments(up_to_close(substr(item_body[i], open + 1)), list)
    sub(inner "$", item_name[item], inner)
    put_prototype(substr(item_body[i], 1, open - 1 - length(item_name[i])) item_name[item], "", list[1],
        ";")
}

function put_member(declaration,   open, list, count, i) {
    if (match(declaration, /\(\*[A-Za-z0-9_]+\)\(/)) {
        open = RSTART + RLENGTH
        split_declared(substr(declaration, 1, open - 2))
        code_name[its_name] = 1
        put_prototype(before_name, its_name, up_to_close(substr(declaration, open)), ";")
        return
    }
    count = split_arguments(declaration, list)
    for (i = 1; i <= count; i++) {
        split_declared(i > 1 ? " " list[i] : list[i])
        code_name[its_name] = 1
        row_add(before_name, its_name)
        row_add(after_name (i < count ? "," : ";"), "")
    }
    row_end()
}

# Names are known before the first page is written.
function learn_names(   i, m, list, count, k) {
    file = "/dev/null"
    for (i = 1; i <= items; i++) {
        if (item_kind[i] == "function")
            put_function(i)
        for (m = 1; item_kind[i] == "struct" && m <= member_count[i]; m++)
            put_member(member[i, m])
    }
    names_known = 1
}

# ---- pages ------------------------------------------------------------------------------------------

function write_page(page,   i, name) {
    if (!names_known)
        learn_names()
    file = folder "/" page_name[page] ".3"
    reference_count[page] += 0
    name = toupper(page_name[page])
    put(".\\\" SPDX-License-Identifier: MIT")
    put(".\\\" Made of <" header[page] "> by scripts/manual.")
    put(".TH " name " 3 \"\" \"Reeve " version "\" \"Library Functions Manual\"")
    put(".ad l\n.nh")
    write_name(page)
    write_synopsis(page)
    put(".SH DESCRIPTION")
    prose(about[page], page, ".PP")
    write_headers(page)
    write_macros(page)
    write_types(page)
    write_functions(page)
    write_example(page)
    write_see_also(page)
    close(file)
    write_aliases(page)
}

function is_function(item) {
    return item_kind[item] == "function" || item_kind[item] == "call"
}

function is_type(item) {
    return item_kind[item] == "struct" || item_kind[item] == "enum"
}

# Whether this page is the one for a type that the header only names: most functions of that type are
# declared here.
function is_home(item, page,   i, p, count, best) {
    if (item_kind[item] != "opaque" || item_page[item] != page)
        return 0
    best = page
    for (i = 1; i <= items; i++)
        if (is_function(i) && index(item_name[i], item_name[item] "_") == 1 &&
            ++count[item_page[i]] > count[best])
            best = item_page[i]
    return best == page
}

function summary(page,   text) {
    text = squeeze(about[page])
    if (match(text, /\.( |$)/))
        text = substr(text, 1, RSTART - 1)
    if (index(tolower(text), page_name[page] ": ") == 1)
        text = substr(text, length(page_name[page]) + 3)
    if (text !~ /^Reeve/ && text ~ /^[A-Z][a-z ]/)
        text = tolower(substr(text, 1, 1)) substr(text, 2)
    return text
}

function write_name(page,   i, names, count, pass, known) {
    names = page_name[page]
    known[names] = 1
    for (pass = 1; pass <= 2; pass++)
        for (i = 1; i <= items; i++)
            if (item_page[i] == page && (pass == 1 ? is_function(i) : is_type(i) || is_home(i, page)) &&
                !(item_name[i] in known)) {
                known[item_name[i]] = 1
                names = names ",\n" item_name[i]
            }
    put(".SH NAME\n" names " \\- " escape_code(summary(page)))
}

function write_synopsis(page,   i, opaque) {
    put(".SH SYNOPSIS\n.nf\n.B #include <" header[page] ">")
    put(".PP\n.BI \"cc \" program.c \" $(pkg\\-config \\-\\-cflags \\-\\-libs reeve)\"")
    for (i = 1; i <= items; i++)
        if (item_page[i] == page && item_kind[i] == "opaque")
            put((opaque++ ? "" : ".PP\n") ".B struct " item_name[i] ";")
    for (i = 1; i <= items; i++)
        if (item_page[i] == page && is_function(i)) {
            put(".PP")
            put_function(i)
        }
    put(".fi")
}

# A header that only includes others has what these are about.
function write_headers(page,   i, name, begun) {
    for (i = 1; i <= items; i++)
        if (item_page[i] == page)
            return
    for (i = 1; i <= include_count[page]; i++) {
        name = includes[page, i]
        gsub(/\//, "_", name)
        sub(/\.h$/, "", name)
        if (!(name in page_of))
            continue
        if (!begun++)
            put(".SH HEADERS")
        put(".TP\n.BR " name " (3)\n" inline(summary(page_of[name]), page))
    }
}

# Those of one group stand over its text together. A long body says nothing to a reader.
function write_macros(page,   i, g, begun, text) {
    for (i = 1; i <= items; i++) {
        if (item_page[i] != page || item_kind[i] != "macro")
            continue
        if (!begun++)
            put(".SH MACROS")
        text = item_name[i] item_arguments[i]
        if (item_arguments[i] == "" && length(item_body[i]) <= 40)
            text = text " " item_body[i]
        put((g == item_group[i] ? ".TQ" : ".TP") "\n.B " quoted("#define " text))
        g = item_group[i]
        if (i == items || item_group[i + 1] != g)
            prose(group_text[g], page, ".IP")
    }
}

function write_types(page,   i, begun) {
    for (i = 1; i <= items; i++)
        if (item_page[i] == page && is_type(i)) {
            if (!begun++)
                put(".SH TYPES")
            put(".SS " quoted(item_kind[i] == "enum" || member_count[i] ? item_body[i] : item_name[i]))
            if (!member_count[i])
                put(".nf\n.B " quoted(item_body[i] ";") "\n.fi")
            prose(group_text[item_group[i]], page, ".PP")
            write_members(i, page)
        }
}

function write_members(item, page,   m, bare, first) {
    for (m = 1; m <= member_count[item]; m++) {
        if (item_kind[item] == "enum") {
            put(".TP\n.B " quoted(member[item, m]))
            prose(member_text[item, m], page, ".IP")
            continue
        }
        first = m == 1 && group_text[item_group[item]] == ""
        put(first || member_text[item, m] == "" && bare ? ".nf" : ".PP\n.nf")
        put_member(member[item, m])
        put(".fi")
        bare = member_text[item, m] == ""
        if (!bare) {
            put(".RS")
            prose(member_text[item, m], page, ".PP")
            put(".RE")
        }
    }
}

# One part for each group: what it is called, how, and what its comment says.
function write_functions(page,   i, g, begun, names, protos) {
    for (g = 1; g <= groups; g++) {
        names = ""
        for (i = 1; i <= items; i++)
            if (item_group[i] == g && item_page[i] == page && is_function(i))
                names = names (names == "" ? "" : ", ") item_name[i] "()"
        if (names == "")
            continue
        if (!begun++)
            put(".SH FUNCTIONS")
        put(".SS " quoted(names) "\n.nf")
        for (i = 1; i <= items; i++)
            if (item_group[i] == g && is_function(i))
                put_function(i)
        put(".fi")
        if (group_text[g] != "") {
            put(".PP")
            prose(group_text[g], page, ".PP")
        }
    }
}

function write_example(page,   count, i, list, text, path) {
    count = split(examples, list, " ")
    for (i = 1; i <= count; i++)
        if (index(list[i], page_name[page] "=") == 1) {
            path = substr(list[i], length(page_name[page]) + 2)
            put(".SH EXAMPLES\n.EX")
            while ((getline text <path) > 0)
                if (text !~ /SPDX-License-Identifier/)
                    put(escape_lines(text))
            put(".EE")
            close(path)
        }
}

# What the header includes, what includes it, and what its text names.
function write_see_also(page,   p, i, name, set, sorted, count, k) {
    if (page_name[page] != "reeve" && "reeve" in page_of)
        set["reeve(3)"] = 1
    for (p = 1; p <= pages; p++)
        for (i = 1; i <= include_count[p]; i++) {
            name = includes[p, i]
            gsub(/\//, "_", name)
            sub(/\.h$/, "", name)
            if (p == page && name in page_of)
                set[name "(3)"] = 1
            else if (name == page_name[page])
                set[page_name[p] "(3)"] = 1
        }
    for (i = 1; i <= reference_count[page]; i++)
        set[references[page, i] "(3)"] = 1
    count = split(also, sorted, " ")
    for (i = 1; i <= count; i++)
        if (index(sorted[i], page_name[page] "=") == 1)
            set[substr(sorted[i], length(page_name[page]) + 2)] = 1
    put_see_also(set)
}

function put_see_also(set,   name, sorted, count, i, k) {
    for (name in set) {
        for (i = count++; i > 0 && sorted[i] > name; i--)
            sorted[i + 1] = sorted[i]
        sorted[i + 1] = name
    }
    if (!count)
        return
    put(".SH SEE ALSO")
    for (i = 1; i <= count; i++) {
        k = index(sorted[i], "(")
        put(".BR " quoted(substr(sorted[i], 1, k - 1)) " " substr(sorted[i], k) (i < count ? "," : ""))
    }
}

function write_aliases(page,   i) {
    for (i = 1; i <= items; i++)
        if (item_page[i] == page && (is_function(i) || is_type(i) || is_home(i, page)) &&
            !(item_name[i] in page_of)) {
            file = folder "/" item_name[i] ".3"
            print ".so man3/" page_name[page] ".3" >file
            close(file)
        }
}
