/* Every conversation of tests/conversations/ (all .md files), three ways:
 *
 *     <heading>                 over a socket, from build/lossd
 *     <heading> (in memory)     through the seam, the body whole
 *     <heading> (cut)           through the seam, the body byte by byte and cut in
 *                               two at every byte: the same answer, to the byte
 *
 * An argument is a pattern; then only the tests whose names match it run:
 *
 *     build/tests/conversations/test_conversations '*masked*' */
#include "config_load.h"
#include "config_settle.h"
#include "lossd/api/api.h"
#include "lossd/api/keyring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* after ours: it has a macro by the name of fail() */
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../system/conversation.h"
#include "../system/service.h"

enum { CUT_WHOLE, CUT_EVERYWHERE = -1 };

static const char *page;              /* that is being run */
static const char *const *page_flags; /* of the server it asks */
static struct service service;
static struct client *client;
static struct api *api;
static struct keyring *keys;
static struct config config;
static struct config_ceilings ceilings;

/* ---- over a socket ---------------------------------------------------------- */

static void assert_holds(const struct conversation *conversation,
                         const struct answer *answer, const char *how)
{
    char why[400];

    if (!conversation_holds(conversation, answer, why))
        fail_msg("%s:%u, %s: %s", page, conversation->line, how, why);
}

static void ask(const struct conversation *conversation, struct question question,
                const char *how)
{
    struct answer answer;
    char why[200];

    if (!client_ask(client, &question, &answer, why))
        fail_msg("%s:%u, %s: no answer: %s", page, conversation->line, how, why);
    assert_holds(conversation, &answer, how);
    answer_release(&answer);
}

static void over_a_socket(void **state)
{
    const struct conversation *conversation = *state;
    struct question question = conversation->question;

    ask(conversation, question, "sent whole");
    /* how a ceiling is told may depend on whether the length was; and what the HTTP
     * layer refuses, it refuses for its headers */
    if (question.body_length > 0 && conversation->status != 413 &&
        !conversation->socket_only) {
        question.chunked = true;
        ask(conversation, question, "sent in chunks");
    }
}

/* ---- in memory -------------------------------------------------------------- */

/* The field of the request for a header, NULL when the API does not look at it. */
static struct span *field_of(struct request *head, const char *header)
{
    const struct {
        const char *name;
        struct span *field;
    } fields[] = {
        {"Content-Type:", &head->content_type},
        {"Content-Encoding:", &head->content_encoding},
        {"Accept:", &head->accept},
        {"If-None-Match:", &head->if_none_match},
        {"X-Request-ID:", &head->request_id},
        {"traceparent:", &head->traceparent},
        {"X-Request-Timeout:", &head->timeout},
        {"Authorization:", &head->authorization},
        {"Origin:", &head->origin},
        {"Access-Control-Request-Method:", &head->access_control_request_method},
        {"Inference-Header-Content-Length:", &head->inference_header_length},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strncasecmp(header, fields[i].name, strlen(fields[i].name)) == 0)
            return fields[i].field;
    return NULL;
}

static void fill_head(struct request *head, const struct question *question, bool sized)
{
    /* a fixed id, so that answers can be compared byte by byte */
    head->request_id = span_of("the-same-id");
    head->method = span_of(question->method);
    head->target = span_of(question->target);
    head->has_content_length = sized && question->body;
    head->content_length = question->body_length;
    for (size_t i = 0; question->header[i]; i++) {
        struct span *field = field_of(head, question->header[i]);
        const char *value = strchr(question->header[i], ':') + 1;
        if (field)
            *field = span_of(value + strspn(value, " "));
    }
}

/* Feeds the body in pieces that end at `cut` and at the end, or at every byte. */
static void feed(struct exchange *exchange, const struct question *question, long cut)
{
    size_t length = question->body_length;
    size_t from = 0;

    while (from < length) {
        size_t to = cut == CUT_EVERYWHERE ? from + 1
                    : from < (size_t)cut  ? (size_t)cut
                                          : length;
        /* a copy of exactly that size: reading past it is seen by sanitizers */
        char *piece = malloc(to - from);
        assert_non_null(piece);
        memcpy(piece, question->body + from, to - from);
        bool more = api_feed(exchange, (struct span){piece, to - from});
        free(piece);
        if (!more)
            return;
        from = to;
    }
}

static void take_response(const struct response *response, struct answer *answer)
{
    char piece[512];

    answer->status = response->status;
    for (size_t i = 0; i < response->headers; i++) {
        int n = snprintf(piece, sizeof piece, "%s: %s\r\n", response->header[i].name,
                         response->header[i].value);
        assert_in_range(n, 1, sizeof piece - 1);
        assert_true(answer_add_head(answer, piece, (size_t)n));
    }
    assert_true(answer_add_head(answer, "", 0));
    if (!response->fill) {
        assert_true(answer_add_body(answer, response->body.at, response->body.len));
        return;
    }
    for (size_t n; (n = response->fill(response->ctx, NULL, piece, sizeof piece)) > 0;)
        assert_true(answer_add_body(answer, piece, n));
}

static struct answer ask_in_memory(const struct question *question, bool sized, long cut)
{
    struct exchange exchange;
    struct response response = {0};
    struct answer answer = {0};

    exchange_init(&exchange, api, NULL);
    fill_head(&exchange.head, question, sized);
    if (api_route(&exchange))
        feed(&exchange, question, cut);
    api_answer(&exchange, NULL, &response);
    take_response(&response, &answer);
    exchange_release(&exchange);
    return answer;
}

static void in_memory(void **state)
{
    const struct conversation *conversation = *state;
    struct answer answer = ask_in_memory(&conversation->question, true, CUT_WHOLE);

    if (strcmp(conversation->question.method, "HEAD") == 0) {
        /* leaving the body away is the HTTP layer's */
        answer.body[0] = '\0';
        answer.body_length = 0;
    }
    assert_holds(conversation, &answer, "in memory");
    answer_release(&answer);
}

static void cut_anywhere(void **state)
{
    const struct conversation *conversation = *state;
    const struct question *question = &conversation->question;
    struct answer whole = ask_in_memory(question, false, CUT_WHOLE);

    for (long cut = CUT_EVERYWHERE; cut < (long)question->body_length; cut++) {
        struct answer answer = ask_in_memory(question, false, cut);
        if (answer.status != whole.status || strcmp(answer.body, whole.body) != 0)
            fail_msg("%s:%u: cut at byte %ld the answer is %u %s, whole it is %u %s",
                     page, conversation->line, cut, answer.status, answer.body,
                     whole.status, whole.body);
        answer_release(&answer);
    }
    answer_release(&whole);
}

/* ---- the pages -------------------------------------------------------------- */

static void make_api(void)
{
    char *argv[SERVER_FLAGS + 2] = {(char[]){"lossd"}}, *env[] = {NULL};
    int argc = 1;

    for (; page_flags[argc - 1]; argc++)
        argv[argc] = strdup(page_flags[argc - 1]);
    assert_int_equal(config_load(&config, argc, argv, env, NULL, stdout, stderr),
                     CONFIG_RUN);
    while (argc > 1)
        free(argv[--argc]);
    config_ceilings(&config, &ceilings);
    struct err err = {0};
    keys = NULL;
    if (*config.api_key_file)
        assert_non_null(keys = keyring_new(config.api_key_file, &err));
    struct api_settings settings = {
        .limits = {.max_elements = config.max_elements,
                   .max_classes = config.max_classes,
                   .max_confusion = config.max_confusion,
                   .max_depth = config.max_depth,
                   .max_line = config.max_line,
                   .max_text = config.max_text},
        .max_body = config.max_body,
        .max_dataset = config.max_dataset,
        .max_ratio = config.max_ratio,
        .max_request_memory = config.max_request_memory,
        .server_timing = config.server_timing,
        .keys = keys,
        .cors_origin = config.cors_origin,
        .shown = ceilings.limits,
        .shown_count = ceilings.count,
        .version = "1.0.0",
        .commit = "unknown",
        .compiler = "gcc",
        .http_library = "none",
    };
    api = api_new(&settings);
    assert_non_null(api);
}

static int open_page(void **state)
{
    (void)state;
    make_api();
    if (!service_start(&service, page_flags))
        return -1;
    client = client_new(service.port);
    return client ? 0 : -1;
}

static int close_page(void **state)
{
    (void)state;
    client_free(client);
    api_free(api);
    keyring_free(keys);
    return service_stop(&service);
}

static void add_test(struct CMUnitTest *test, struct conversation *conversation,
                     const char *how, CMUnitTestFunction function)
{
    char *name = NULL;

    assert_true(asprintf(&name, "%s%s", conversation->heading, how) > 0);
    *test = (struct CMUnitTest){name, function, NULL, NULL, conversation};
}

static size_t add_tests(struct CMUnitTest *tests, struct conversation *conversation)
{
    add_test(&tests[0], conversation, "", over_a_socket);
    if (conversation->socket_only)
        return 1;
    add_test(&tests[1], conversation, " (in memory)", in_memory);
    if (!conversation->question.body)
        return 2;
    add_test(&tests[2], conversation, " (cut)", cut_anywhere);
    return 3;
}

static int run_page(const char *path)
{
    struct script script;
    char why[400];

    if (!script_read(&script, path, why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    page = path;
    page_flags = script.flags;
    struct CMUnitTest *tests = calloc(3 * script.count, sizeof tests[0]);
    size_t count = 0;
    for (size_t i = 0; tests && i < script.count; i++)
        count += add_tests(tests + count, &script.conversations[i]);
    int failed = _cmocka_run_group_tests(path, tests, count, open_page, close_page);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)tests[i].name);
    free(tests);
    script_release(&script);
    return failed;
}

int main(int argc, char **argv)
{
    glob_t pages;
    int failed = 0;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (glob("tests/conversations/*.md", 0, NULL, &pages) != 0) {
        fprintf(stderr, "no pages: run me from the root of the repository\n");
        return 1;
    }
    for (size_t i = 0; i < pages.gl_pathc; i++)
        failed += run_page(pages.gl_pathv[i]) != 0;
    globfree(&pages);
    return failed != 0;
}
