/* A page has blocks of three kinds: ```server (flags of the server that the rest
 * of the page is asked), ```request and ```reply.  Blocks of other kinds are for
 * the reader alone. */
#include "conversation.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1 << 20, PROBLEM_MAX = 4096 };

static bool wrong(char why[400], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool wrong(char why[400], const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, 400, format, list);
    va_end(list);
    return false;
}

/* Cuts the next line off the text at *at; NULL when there is none. */
static char *next_line(char **at)
{
    char *line = *at;
    if (!line)
        return NULL;
    char *newline = strchr(line, '\n');
    if (newline)
        *newline = '\0';
    *at = newline ? newline + 1 : NULL;
    return line;
}

/* The header lines up to the blank one.  *at is left on the body, NULL for none. */
static bool read_headers(char **at, const char **header, size_t room)
{
    size_t count = 0;
    for (char *line; (line = next_line(at)) && line[0];) {
        if (count == room || !strchr(line, ':'))
            return false;
        header[count++] = line;
    }
    return true;
}

/* Writes out \xHH, a byte, and \*N{text}, a text N times over. */
static char *expand(const char *text, size_t *length)
{
    char *out = malloc(BODY_MAX + 1);
    size_t n = 0;
    while (out && *text && n < BODY_MAX) {
        unsigned byte, times;
        int head = 0, inside = 0;
        if (sscanf(text, "\\x%2x%n", &byte, &head) == 1 && head == 4) {
            out[n++] = (char)byte;
            text += head;
        } else if (sscanf(text, "\\*%u{%n%*[^}]}%n", &times, &head, &inside) == 1 &&
                   inside > 0) {
            size_t piece = (size_t)(inside - head) - 1;
            for (; times > 0 && n + piece <= BODY_MAX; times--, n += piece)
                memcpy(out + n, text + head, piece);
            text += inside;
        } else {
            out[n++] = *text++;
        }
    }
    if (out)
        out[n] = '\0';
    *length = n;
    return out;
}

static bool read_request(struct conversation *conversation, const struct block *block)
{
    struct question *question = &conversation->question;
    char *at = block->text, *line = next_line(&at);
    char *space = line ? strchr(line, ' ') : NULL;
    if (!space)
        return false;
    *space = '\0';
    question->method = line;
    question->target = space + 1;
    if (!read_headers(&at, question->header, QUESTION_HEADERS - 1))
        return false;
    if (at && !(conversation->sent = expand(at, &question->body_length)))
        return false;
    question->body = conversation->sent;
    conversation->float32 = strstr(question->target, "float32") ||
                            (question->body && strstr(question->body, "float32"));
    conversation->allowance =
        conversation->float32 ? allowance_float32 : allowance_float64;
    conversation->socket_only = strstr(block->info, "socket") != NULL;
    return true;
}

/* The value of "limit" in ", limit 8, flag --max-classes" into out. */
static bool field(const char *fields, const char *name, char out[200])
{
    char pattern[16];
    snprintf(pattern, sizeof pattern, " %s ", name);
    const char *at = fields ? strstr(fields, pattern) : NULL;
    if (!at)
        return false;
    at += strlen(pattern);
    snprintf(out, 200, "%.*s", (int)strcspn(at, ", "), at);
    return true;
}

/* A problem document is written down short: "422 code at /pointer, offset 7, ..."
 * and its sentence.  This is the whole of it. */
static char *problem_document(unsigned status, const char *code, const char *fields,
                              const char *sentence)
{
    char *out = malloc(PROBLEM_MAX), value[200];
    cJSON *text = cJSON_CreateString(sentence);
    char *quoted = text ? cJSON_PrintUnformatted(text) : NULL;
    cJSON_Delete(text);
    if (out && quoted) {
        int n = snprintf(out, PROBLEM_MAX,
                         "{\"type\":\"about:blank\",\"title\":\"…\",\"status\":%u,"
                         "\"detail\":%s,\"error\":%s,\"code\":\"%s\",",
                         status, quoted, quoted, code);
        static const char *const names[] = {"offset", "line", "column", "limit"};
        if (field(fields, "at", value))
            n += snprintf(out + n, PROBLEM_MAX - (size_t)n, "\"pointer\":\"%s\",", value);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (field(fields, names[i], value))
                n += snprintf(out + n, PROBLEM_MAX - (size_t)n, "\"%s\":%s,", names[i],
                              value);
        if (field(fields, "flag", value))
            n += snprintf(out + n, PROBLEM_MAX - (size_t)n, "\"flag\":\"%s\",", value);
        snprintf(out + n, PROBLEM_MAX - (size_t)n, "\"request_id\":\"…\"}\n");
    }
    cJSON_free(quoted);
    return out;
}

static bool read_reply(struct conversation *conversation, const struct block *block)
{
    char *at = block->text, *line = next_line(&at), code[40] = "";
    int end = 0;
    if (!line || sscanf(line, "%3u%n", &conversation->status, &end) != 1)
        return false;
    char *fields = line + end;
    bool is_problem = sscanf(fields, " %39[a-z_]%n", code, &end) == 1;
    if (!read_headers(&at, conversation->header, REPLY_HEADERS - 1))
        return false;
    if (is_problem)
        conversation->body =
            problem_document(conversation->status, code, fields + end, at ? at : "…");
    else if (at && (conversation->body = malloc(strlen(at) + 2)))
        sprintf(conversation->body, "%s\n", at);
    return conversation->body || (!is_problem && !at);
}

static bool read_flags(struct script *script, const struct block *block)
{
    char *at = block->text;
    size_t count = 0;
    for (char *word; (word = strsep(&at, " \n"));) {
        if (word[0] == '\0')
            continue;
        if (count == SERVER_FLAGS)
            return false;
        script->flags[count++] = word;
    }
    return true;
}

/* Takes the block in; *open tells whether a request waits for its reply. */
static bool read_script_block(struct script *script, const struct block *block,
                              bool *open)
{
    struct conversation *conversation = &script->conversations[script->count];
    if (strcmp(block->info, "server") == 0)
        return script->count == 0 && !*open && read_flags(script, block);
    if (strncmp(block->info, "request", 7) == 0) {
        if (*open)
            return false;
        *open = true;
        conversation->heading = block->heading;
        conversation->line = block->line;
        conversation->flags = script->flags;
        return read_request(conversation, block);
    }
    if (strcmp(block->info, "reply") == 0) {
        if (!*open)
            return false;
        *open = false;
        script->count++;
        return read_reply(conversation, block);
    }
    return true;
}

bool script_read(struct script *script, const char *path, char why[400])
{
    *script = (struct script){0};
    char reason[200];
    if (!markdown_read(&script->page, path, reason))
        return wrong(why, "%s", reason);
    script->conversations =
        calloc(script->page.count + 1, sizeof script->conversations[0]);
    bool open = false;
    for (size_t i = 0; script->conversations && i < script->page.count; i++)
        if (!read_script_block(script, &script->page.blocks[i], &open)) {
            wrong(why, "%s:%u: this block is malformed or out of place", path,
                  script->page.blocks[i].line);
            script_release(script);
            return false;
        }
    if (open || script->count == 0) {
        script_release(script);
        return wrong(why, "%s: %s", path,
                     open ? "the last request has no reply" : "no conversations");
    }
    return true;
}

void script_release(struct script *script)
{
    for (size_t i = 0; script->conversations && i <= script->page.count; i++) {
        free(script->conversations[i].sent);
        free(script->conversations[i].body);
    }
    free(script->conversations);
    markdown_release(&script->page);
    *script = (struct script){0};
}

static bool header_holds(const char *expected, const struct answer *answer, char why[400])
{
    char name[64], value[300], reason[400];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(expected, ":"), expected);
    if (!answer_header(answer, name, value))
        return wrong(why, "expected `%s`, but there is no such header", expected);
    const char *wanted = expected + strlen(name) + 1;
    if (!agree(wanted + strspn(wanted, " "), value, allowance_float64, reason))
        return wrong(why, "header %s: %.300s", name, reason);
    return true;
}

static bool is_json(const char *text, size_t len, char why[400])
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);

    cJSON_Delete(json);
    while (json && end < text + len && strchr(" \n", *end))
        end++;
    return (json && end == text + len) ||
           wrong(why, "the body is not JSON: `%.200s`", text);
}

static bool lines_are_json(const char *text, char why[400])
{
    for (size_t len; *text != '\0'; text += len) {
        len = strcspn(text, "\n") + 1;
        if (!is_json(text, len, why))
            return false;
    }
    return true;
}

/* What is true of the body of any reply. */
static bool body_is_sound(const struct conversation *conversation,
                          const struct answer *answer, char why[400])
{
    if (answer->status == 204)
        return answer->body_length == 0 || wrong(why, "204 was answered with a body");
    if (header_holds("Content-Type: application/x-ndjson", answer, why))
        return lines_are_json(answer->body, why) &&
               all_shortest(answer->body, conversation->float32, why);
    const char *type = answer->status < 300 ? "Content-Type: application/json…"
                                            : "Content-Type: application/problem+json…";
    if (!header_holds(type, answer, why))
        return false;
    return is_json(answer->body, answer->body_length, why) &&
           all_shortest(answer->body, conversation->float32, why);
}

bool conversation_holds(const struct conversation *conversation,
                        const struct answer *answer, char why[400])
{
    if (answer->status != conversation->status)
        return wrong(why, "expected status %u, got %u: %.300s", conversation->status,
                     answer->status, answer->body);
    for (size_t i = 0; conversation->header[i]; i++)
        if (!header_holds(conversation->header[i], answer, why))
            return false;
    if (strcmp(conversation->question.method, "HEAD") == 0)
        return answer->body_length == 0 || wrong(why, "HEAD was answered with a body");
    if (!body_is_sound(conversation, answer, why))
        return false;
    return !conversation->body ||
           agree(conversation->body, answer->body, conversation->allowance, why);
}
