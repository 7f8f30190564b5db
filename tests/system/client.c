#include "client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct client {
    CURL *curl;
    unsigned port;
};

/* What is left of a body that is sent in pieces. */
struct upload {
    const char *at;
    size_t left;
};

struct client *client_new(unsigned port)
{
    struct client *client = malloc(sizeof *client);
    if (!client)
        return NULL;
    *client = (struct client){curl_easy_init(), port};
    if (!client->curl) {
        free(client);
        return NULL;
    }
    return client;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static bool add(char **text, size_t *length, const char *more, size_t more_length)
{
    char *longer = realloc(*text, *length + more_length + 1);
    if (!longer)
        return false;
    if (more_length > 0)
        memcpy(longer + *length, more, more_length);
    *length += more_length;
    longer[*length] = '\0';
    *text = longer;
    return true;
}

bool answer_add_head(struct answer *answer, const char *text, size_t length)
{
    size_t so_far = answer->head ? strlen(answer->head) : 0;
    return add(&answer->head, &so_far, text, length);
}

bool answer_add_body(struct answer *answer, const char *text, size_t length)
{
    return add(&answer->body, &answer->body_length, text, length);
}

static size_t take_head(char *data, size_t size, size_t count, void *answer)
{
    return answer_add_head(answer, data, size * count) ? size * count : 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *answer)
{
    return answer_add_body(answer, data, size * count) ? size * count : 0;
}

/* Pieces of at most 7 bytes, so that most tokens are cut. */
static size_t give_body(char *out, size_t size, size_t count, void *ctx)
{
    struct upload *upload = ctx;
    size_t room = size * count, piece = upload->left < 7 ? upload->left : 7;
    if (piece > room)
        piece = room;
    memcpy(out, upload->at, piece);
    upload->at += piece;
    upload->left -= piece;
    return piece;
}

static void set_body(CURL *curl, const struct question *question, struct upload *upload)
{
    if (question->chunked) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    } else if (question->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)question->body_length);
    }
}

/* libcurl's own Content-Type and Expect are left out: a question has the headers
 * that it names. */
static struct curl_slist *header_list(const struct question *question)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    if (question->chunked)
        list = curl_slist_append(list, "Transfer-Encoding: chunked");
    bool has_type = false;
    for (size_t i = 0; i < QUESTION_HEADERS && question->header[i]; i++) {
        list = curl_slist_append(list, question->header[i]);
        has_type = has_type || strncasecmp(question->header[i], "Content-Type:", 13) == 0;
    }
    return has_type ? list : curl_slist_append(list, "Content-Type:");
}

bool client_ask(struct client *client, const struct question *question,
                struct answer *answer, char why[200])
{
    CURL *curl = client->curl;
    char url[2100], error[CURL_ERROR_SIZE] = "";
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", client->port, question->target);
    *answer = (struct answer){0};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    struct upload upload = {question->body, question->body_length};
    set_body(curl, question, &upload);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, question->method);
    if (strcmp(question->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    struct curl_slist *headers = header_list(question);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (unsigned)status;
    if (code != CURLE_OK || !answer_add_head(answer, "", 0) ||
        !answer_add_body(answer, "", 0)) {
        snprintf(why, 200, "%.190s", error[0] ? error : curl_easy_strerror(code));
        return false;
    }
    return true;
}

bool answer_header(const struct answer *answer, const char *name, char out[300])
{
    size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = answer->head; line; line = strstr(line, "\r\n")) {
        line += line == answer->head ? 0 : 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1;
        value += strspn(value, " ");
        snprintf(out, 300, "%.*s", (int)strcspn(value, "\r"), value);
        return true;
    }
    return false;
}

void answer_release(struct answer *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct answer){0};
}
