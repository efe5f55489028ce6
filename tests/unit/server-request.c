/* SPDX-License-Identifier: MIT */
/* What the model server refuses, with which words, and what it takes. */
#include "examples/server/request.h"

#include "tests/lib/test.h"

#include <string.h>

/* ' stands for " in these. */
#define BODY(messages) "{'model':'m','messages':[" messages "]}"
#define USER "{'role':'user','content':'hi'}"
#define CALL(id) "{'id':'" id "','type':'function','function':{'name':'f','arguments':'{}'}}"
#define CALLS(calls) "{'role':'assistant','content':null,'tool_calls':[" calls "]}"
#define RESULT(id) "{'role':'tool','tool_call_id':'" id "','content':'r'}"
#define TOOL "{'type':'function','function':{'name':'f'}}"
#define WITH(members) "{'model':'m'," members ",'messages':[" USER "]}"

static int parse(const char *json, struct ms_request *request, struct ms_error *error)
{
    struct ms_text body;
    int status;

    ms_text_init(&body, 100000);
    ms_text_add_string(&body, json);
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] == '\'')
            body.data[i] = '"';
    status = ms_request_parse(body.data, body.len, request, error);
    ms_text_done(&body);
    return status;
}

static const struct refusal {
    const char *body;
    const char *message; /* a part of it */
    const char *param;   /* "" for null */
    const char *code;    /* NULL for null */
} refusals[] = {
    {"{", "could not parse the JSON body", "", NULL},
    {"", "could not parse the JSON body", "", NULL},
    {BODY(USER) " x", "could not parse the JSON body", "", NULL},
    {BODY(USER) "/* no comment */", "could not parse the JSON body", "", NULL},
    {"[]", "expected an object, but got an array", "", NULL},
    {"{'messages':[" USER "]}", "you must provide a model parameter", "", NULL},
    {"{'model':'','messages':[" USER "]}", "you must provide a model parameter", "", NULL},
    {"{'model':7,'messages':[" USER "]}", "Invalid type for 'model'", "model", "invalid_type"},
    {"{'model':'m'}", "Missing required parameter: 'messages'.", "messages",
     "missing_required_parameter"},
    {"{'model':'m','messages':'x'}", "Invalid type for 'messages'", "messages", "invalid_type"},
    {BODY(""), "Invalid 'messages': empty array.", "messages", "empty_array"},
    {WITH("'temprature':1"), "Unknown parameter: 'temprature'.", "temprature", "unknown_parameter"},
    {WITH("'temperature':2.5"), "decimal above maximum value", "temperature",
     "decimal_above_max_value"},
    {WITH("'top_p':-1"), "decimal below minimum value", "top_p", "decimal_below_min_value"},
    {WITH("'max_tokens':0"), "integer below minimum value", "max_tokens",
     "integer_below_min_value"},
    {WITH("'max_tokens':1,'max_completion_tokens':1"), "at the same time", "max_tokens",
     "invalid_parameter_combination"},
    {WITH("'stream':'yes'"), "Invalid type for 'stream': expected a boolean, but got a string",
     "stream", "invalid_type"},
    {WITH("'stream_options':{'include_usage':true}"), "only allowed when 'stream' is enabled",
     "stream_options", NULL},
    {WITH("'tools':[]"), "Invalid 'tools': empty array.", "tools", "empty_array"},
    {WITH("'tools':[{'type':'function','function':{}}]"),
     "Missing required parameter: 'tools[0].function.name'.", "tools[0].function.name",
     "missing_required_parameter"},
    {WITH("'tools':[" TOOL ",{'type':'function','function':{'name':'a b'}}]"),
     "string does not match pattern", "tools[1].function.name", "invalid_value"},
    {WITH("'tools':[{'type':'function','function':{'name':'f','parameters':[]}}]"),
     "expected an object, but got an array", "tools[0].function.parameters", "invalid_type"},
    {WITH("'tool_choice':'auto'"), "only allowed when 'tools' are specified", "tool_choice", NULL},
    {WITH("'parallel_tool_calls':true"), "only allowed when 'tools' are specified",
     "parallel_tool_calls", NULL},
    {WITH("'tools':[" TOOL "],'tool_choice':'any'"), "Supported values are: 'none'", "tool_choice",
     "invalid_value"},
    {WITH("'tools':[" TOOL "],'tool_choice':{'type':'function','function':{'name':'g'}}"),
     "Tool choice 'g' not found in 'tools'", "tool_choice", NULL},
    {WITH("'response_format':{'type':'json_schema'}"), "not supported with this model",
     "response_format", NULL},
    {WITH("'n':2"), "'n' other than 1", "n", "unsupported_value"},

    {BODY("7"), "expected an object, but got an integer", "messages[0]", "invalid_type"},
    {BODY("{'content':'x'}"), "Missing required parameter: 'messages[0].role'.", "messages[0].role",
     "missing_required_parameter"},
    {BODY("{'role':'robot','content':'x'}"), "Invalid value: 'robot'. Supported values are",
     "messages[0].role", "invalid_value"},
    {BODY("{'role':'user'}"), "Missing required parameter: 'messages[0].content'.",
     "messages[0].content", "missing_required_parameter"},
    {BODY("{'role':'user','content':null}"), "expected a string, got null", "messages[0].content",
     NULL},
    {BODY("{'role':'user','content':4}"), "one of a string or array of objects",
     "messages[0].content", "invalid_type"},
    {BODY("{'role':'user','content':[]}"), "empty array", "messages[0].content", "empty_array"},
    {BODY("{'role':'user','content':[{'type':'sound'}]}"), "Invalid value: 'sound'",
     "messages[0].content[0].type", "invalid_value"},
    {BODY("{'role':'system','content':[{'type':'image_url','image_url':{'url':'u'}}]}"),
     "not a content type of role 'system'", "messages[0].content[0].type", "invalid_value"},
    {BODY("{'role':'user','content':[{'type':'text'}]}"), "Missing required parameter",
     "messages[0].content[0].text", "missing_required_parameter"},
    {BODY("{'role':'assistant','content':null}"), "expected a string, got null",
     "messages[0].content", NULL},

    {BODY(USER "," CALLS("")), "Invalid 'messages[1].tool_calls': empty array.",
     "messages[1].tool_calls", "empty_array"},
    {BODY(USER "," CALLS("{'type':'function','function':{'name':'f','arguments':'{}'}}")),
     "Missing required parameter", "messages[1].tool_calls[0].id", "missing_required_parameter"},
    {BODY(USER "," CALLS(CALL(""))), "empty string", "messages[1].tool_calls[0].id",
     "empty_string"},
    {BODY(USER "," CALLS("{'id':'a','type':'function','function':{'name':'f','arguments':{}}}")),
     "expected a string, but got an object", "messages[1].tool_calls[0].function.arguments",
     "invalid_type"},
    {BODY(USER "," CALLS("{'id':'a','type':'function','function':{'name':'f','arguments':'{'}}")),
     "a string that holds valid JSON", "messages[1].tool_calls[0].function.arguments",
     "invalid_value"},
    {BODY(USER "," CALLS(CALL("a") "," CALL("a")) "," RESULT("a")),
     "Duplicate value for 'tool_calls[1].id' of 'a'", "messages[1].tool_calls", "invalid_value"},

    {BODY(USER "," CALLS(CALL("a"))), "tool_call_ids did not have response messages: a",
     "messages.[2].role", NULL},
    {BODY(USER "," CALLS(CALL("a") "," CALL("b") "," CALL("c")) "," RESULT("b") "," USER),
     "tool_call_ids did not have response messages: a, c", "messages.[3].role", NULL},
    {BODY(USER "," CALLS(CALL("a")) "," USER "," RESULT("a")),
     "tool_call_ids did not have response messages: a", "messages.[2].role", NULL},
    {BODY(USER "," CALLS(CALL("a")) "," CALLS(CALL("b")) "," RESULT("a") "," RESULT("b")),
     "tool_call_ids did not have response messages: a", "messages.[2].role", NULL},
    {BODY(USER "," RESULT("a")),
     "messages with role 'tool' must be a response to a preceeding message", "messages.[1].role",
     NULL},
    {BODY(USER "," CALLS(CALL("a")) "," RESULT("a") "," USER "," RESULT("a")),
     "messages with role 'tool' must be a response to a preceeding message", "messages.[4].role",
     NULL},
    {BODY(USER "," CALLS(CALL("a")) "," RESULT("b")),
     "'tool_call_id' of 'b' not found in 'tool_calls' of previous message",
     "messages[2].tool_call_id", NULL},
    {BODY(USER "," CALLS(CALL("a")) "," RESULT("a") "," RESULT("a")),
     "Duplicate value for 'tool_call_id' of 'a'", "messages[3].tool_call_id", NULL},
    {BODY(USER "," CALLS(CALL("a")) ",{'role':'tool','content':'r'}"), "Missing required parameter",
     "messages[2].tool_call_id", "missing_required_parameter"},
    {BODY(USER "," CALLS(CALL("a")) ",{'role':'tool','tool_call_id':'a'}"),
     "Missing required parameter: 'messages[2].content'.", "messages[2].content",
     "missing_required_parameter"},
};

RV_TEST(server_request, refuses_with_the_real_words)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct ms_request request;
        struct ms_error error;

        cr_assert_eq(parse(r->body, &request, &error), -1, "taken: %s", r->body);
        cr_assert_eq(error.status, 400);
        cr_assert_str_eq(error.type, "invalid_request_error");
        cr_assert(strstr(error.message, r->message), "%s: %s", r->body, error.message);
        cr_assert_str_eq(error.param, r->param, "%s: %s", r->body, error.param);
        cr_assert_eq(!error.code, !r->code, "%s: %s", r->body, error.code);
        if (r->code)
            cr_assert_str_eq(error.code, r->code);
    }
}

static const char *const taken[] = {
    BODY(USER),
    "{'model':'m','messages':[" USER "],'stream':null,'tools':null,'temperature':null}",
    BODY("{'role':'system','content':'s'}," USER ",{'role':'assistant','content':''}," USER),
    BODY("{'role':'developer','content':[{'type':'text','text':'t'}]}," USER),
    BODY("{'role':'user','content':[{'type':'text','text':'t'},"
         "{'type':'image_url','image_url':{'url':'data:,'}}]}"),
    BODY(USER "," CALLS(CALL("a")) "," RESULT("a")),
    BODY(USER "," CALLS(CALL("a") "," CALL("b")) "," RESULT("b") "," RESULT("a") "," USER),
    BODY(USER "," CALLS(CALL("a")) "," RESULT("a") "," CALLS(CALL("a")) "," RESULT("a")),
    BODY(USER ",{'role':'assistant','tool_calls':[" CALL(
        "a") "]},"
             "{'role':'tool','tool_call_id':'a','content':[{'type':'text','text':''}]}"),
};

RV_TEST(server_request, takes_what_is_right)
{
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        struct ms_request request;
        struct ms_error error;

        cr_assert_eq(parse(taken[i], &request, &error), 0, "%s: %s", taken[i], error.message);
        ms_request_done(&request);
    }
}

RV_TEST(server_request, reads_the_parameters)
{
    struct ms_request request;
    struct ms_error error;

    cr_assert_eq(parse(WITH("'stream':true,'stream_options':{'include_usage':true},"
                            "'max_completion_tokens':9,'tools':[" TOOL "],'stop':['a','b'],"
                            "'parallel_tool_calls':false,"
                            "'tool_choice':{'type':'function','function':{'name':'f'}}"),
                       &request, &error),
                 0);
    cr_assert_str_eq(request.model, "m");
    cr_assert(request.stream);
    cr_assert(request.include_usage);
    cr_assert(request.one_call_at_most);
    cr_assert_eq(request.max_tokens, 9);
    cr_assert_eq(request.tool_choice, MS_CHOICE_NAMED);
    cr_assert_str_eq(request.tool_name, "f");
    cr_assert(request.tools && request.stop);
    ms_request_done(&request);
}

RV_TEST(server_request, bounds_the_depth)
{
    struct ms_text body;
    struct ms_request request;
    struct ms_error error;

    ms_text_init(&body, 3000000);
    for (int i = 0; i < 1000000; i++)
        ms_text_add_string(&body, "[");
    cr_assert_eq(ms_request_parse(body.data, body.len, &request, &error), -1);
    ms_text_clear(&body);
    ms_text_add_string(&body, "{\"model\":\"m\\u0000\",\"messages\":[]}");
    ms_text_add(&body, "", 1);
    cr_assert_eq(ms_request_parse(body.data, body.len, &request, &error), -1, "a NUL behind it");
    ms_text_done(&body);
}
