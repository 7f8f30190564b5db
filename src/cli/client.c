/* Requests with libcurl.
 *
 * The body is read from its file while it is sent and the answer is written while it
 * arrives, so neither is ever held in memory.  What the answer is shows before its
 * body: a 2xx goes to the output, anything else is a refusal, which is short, and is
 * kept for the user to be told of. */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct client {
    CURL *curl;
    struct curl_slist *type; /* header of a POST */
    char curl_says[CURL_ERROR_SIZE];
};

/* What the callbacks of one transfer share. */
struct transfer {
    CURL *curl;
    const struct client_request *request;
    struct client_answer *answer;
    long began_at; /* offset of the body in its file, -1 when that cannot be told */
    int read_errno, write_errno;
    curl_off_t moved; /* bytes, both ways, when that was looked at last; */
    int64_t moved_ms; /* and since when it is so */
};

struct client *client_open(void)
{
    struct client *client = calloc(1, sizeof *client);

    if (!client)
        return NULL;
    client->curl = curl_easy_init();
    if (!client->curl) {
        client_close(client);
        return NULL;
    }
    return client;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->type);
    free(client);
}

static size_t body_read(char *to, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    FILE *body = transfer->request->body;
    size_t got = fread(to, 1, size * count, body);

    if (got == 0 && ferror(body)) {
        transfer->read_errno = errno;
        return CURL_READFUNC_ABORT;
    }
    return got;
}

/* The body once more from its start: an idle connection was closed under us. */
static int body_rewind(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *transfer = ctx;

    if (transfer->began_at < 0 || origin != SEEK_SET ||
        fseek(transfer->request->body, transfer->began_at + (long)offset, SEEK_SET) != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    return CURL_SEEKFUNC_OK;
}

/* There was a connection.  (There is another limit on connecting.) */
static bool has_begun(const struct transfer *transfer)
{
    curl_off_t began_us = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_PRETRANSFER_TIME_T, &began_us);
    return began_us > 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Comes each second at least.  (libcurl's own limit is on a speed, which is an average of
 * some seconds.) */
static int patience_ends(void *ctx, curl_off_t down_all, curl_off_t down,
                         curl_off_t up_all, curl_off_t up)
{
    struct transfer *transfer = ctx;
    long patience_s = transfer->request->patience_s;

    (void)down_all;
    (void)up_all;
    if (down + up != transfer->moved || !has_begun(transfer)) {
        transfer->moved = down + up;
        transfer->moved_ms = now_ms();
    }
    return patience_s > 0 && now_ms() - transfer->moved_ms >= patience_s * 1000;
}

static size_t answer_take(const char *piece, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    struct client_answer *answer = transfer->answer;
    FILE *out = transfer->request->out;
    size_t len = size * count;

    answer->is_silent = false;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (answer->status / 100 != 2) {
        size_t room = sizeof answer->kept - answer->kept_len;
        size_t taken = len < room ? len : room;
        memcpy(answer->kept + answer->kept_len, piece, taken);
        answer->kept_len += taken;
    } else if (out && fwrite(piece, 1, len, out) != len) {
        transfer->write_errno = errno;
        return 0;
    }
    return len;
}

/* Bytes from here to the end of a regular file, -1 for a pipe and for a file that says it
 * has none: those of /proc say so, too. */
static curl_off_t body_length(FILE *body, long began_at)
{
    struct stat about;

    if (began_at < 0 || fstat(fileno(body), &about) != 0 || !S_ISREG(about.st_mode))
        return -1;
    return about.st_size > began_at ? about.st_size - began_at : -1;
}

static bool set_type(struct client *client, const char *media_type)
{
    char header[128];

    snprintf(header, sizeof header, "Content-Type: %s", media_type);
    curl_slist_free_all(client->type);
    client->type = curl_slist_append(NULL, header);
    return client->type;
}

static void set_up(struct client *client, struct transfer *transfer)
{
    CURL *curl = client->curl;
    const struct client_request *request = transfer->request;

    curl_easy_reset(curl); /* keeps the connection */
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lossctl");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_says);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CLIENT_CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, patience_ends);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    if (request->is_local)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (request->socket && *request->socket == '@')
        curl_easy_setopt(curl, CURLOPT_ABSTRACT_UNIX_SOCKET, request->socket + 1);
    else if (request->socket && *request->socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->socket);
    if (request->key) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->key);
    }
    if (!request->body)
        return;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->type);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, body_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, body_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     body_length(request->body, transfer->began_at));
}

static const char *reason_of_connect(const struct transfer *transfer)
{
    long why = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_OS_ERRNO, &why);
    return why ? strerrordesc_np((int)why) : "Could not connect";
}

/* The reason in the words that fit best: of the file, of the output, of libcurl. */
static void explain(const struct client *client, const struct transfer *transfer,
                    CURLcode code)
{
    struct client_answer *answer = transfer->answer;
    const char *says =
        client->curl_says[0] ? client->curl_says : curl_easy_strerror(code);

    bool is_late = code == CURLE_OPERATION_TIMEDOUT;
    if (code == CURLE_COULDNT_CONNECT && transfer->request->socket &&
        *transfer->request->socket) /* it says a port */
        says = reason_of_connect(transfer);
    answer->is_refused =
        code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_SSL_CONNECT_ERROR || (is_late && !has_begun(transfer));
    answer->is_stalled = code == CURLE_ABORTED_BY_CALLBACK && !transfer->read_errno;
    if (transfer->read_errno)
        snprintf(answer->why, sizeof answer->why, "cannot read: %s",
                 strerrordesc_np(transfer->read_errno));
    else if (transfer->write_errno)
        snprintf(answer->why, sizeof answer->why, "cannot write the answer: %s",
                 strerrordesc_np(transfer->write_errno));
    else
        snprintf(answer->why, sizeof answer->why, "%s", says);
}

bool client_send(struct client *client, const struct client_request *request,
                 struct client_answer *answer)
{
    struct transfer transfer = {
        .curl = client->curl, .request = request, .answer = answer, .moved_ms = now_ms()};

    answer->status = 0;
    answer->kept_len = 0;
    answer->is_silent = true;
    answer->is_refused = answer->is_stalled = false;
    answer->why[0] = '\0';
    client->curl_says[0] = '\0';
    if (request->body && !set_type(client, request->media_type)) {
        snprintf(answer->why, sizeof answer->why, "there is no memory left");
        return false;
    }
    transfer.began_at = request->body ? ftell(request->body) : -1;
    set_up(client, &transfer);
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (code != CURLE_OK)
        explain(client, &transfer, code);
    return code == CURLE_OK;
}
