/* A short answer is one text.  A long one is written while it is sent: on the pool, a
 * parcel at a time, or by the network thread itself where that is as well. */
#include "http/answer.h"

#include <string.h>

#include "http/connection.h"
#include "http/inside.h"
#include "http/library_queue.h"
#include "http/net_load.h"
#include "http/turn.h"

enum { FILL_BLOCK = 32768 };

/* The library offers what is left of the connection's buffer, and next to nothing
 * is left after headers that have nearly filled it. */
static size_t fill_little(struct talk *talk, char *out, size_t capacity)
{
    if (talk->spilled == talk->spill_size) {
        talk->spilled = 0;
        talk->spill_size = talk->response.fill(talk->response.ctx, NULL, talk->spill,
                                               sizeof talk->spill);
    }
    size_t left = talk->spill_size - talk->spilled, n = left < capacity ? left : capacity;
    memcpy(out, talk->spill + talk->spilled, n);
    talk->spilled += n;
    return n;
}

/* What the pool has written; when that is all on its way, the pool's turn. */
static ssize_t fill_from_parcel(struct connection *connection, char *out, size_t capacity)
{
    struct talk *talk = &connection->talk;
    struct parcel *parcel = &talk->parcel;
    size_t n = parcel_take(parcel, out, capacity);

    connection_count(&talk->sent, n);
    if (n > 0)
        return (ssize_t)n;
    if (parcel->last)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return connection_enter(connection, CONNECTION_BUSY) &&
                   turn_begin(connection, TURN_WRITE)
               ? 0
               : MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t fill_here(struct talk *talk, char *out, size_t capacity)
{
    bool little = capacity < sizeof talk->spill || talk->spilled < talk->spill_size;
    size_t n = little ? fill_little(talk, out, capacity)
                      : talk->response.fill(talk->response.ctx, NULL, out, capacity);

    connection_count(&talk->sent, n);
    return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

/* Does the network thread write the next part of the answer itself? */
static bool fills_here(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct parcel *parcel = &talk->parcel;
    struct err ignored = {0};

    if (parcel->taken < parcel->len || parcel->last)
        return false;
    if (!talk->admitted || talk->spilled < talk->spill_size ||
        net_writes_alone(connection->net))
        return true;
    return !parcel->at &&
           !parcel_open(parcel, &connection->net->shelf, &talk->exchange.mem, &ignored);
}

static ssize_t fill_response(void *cls, uint64_t position, char *out, size_t capacity)
{
    struct connection *connection = cls;

    (void)position;
    connection->talk.headed = true;
    (void)atomic_load(&connection->talk.state); /* the last that the pool has written */
    return fills_here(connection) ? fill_here(&connection->talk, out, capacity)
                                  : fill_from_parcel(connection, out, capacity);
}

static struct MHD_Response *make_body(struct connection *connection)
{
    const struct response *response = &connection->talk.response;

    if (response->fill)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FILL_BLOCK,
                                                 fill_response, connection, NULL);
    /* the library does not write to a persistent buffer */
    return MHD_create_response_from_buffer(
        response->body.len, (void *)(uintptr_t)response->body.at, MHD_RESPMEM_PERSISTENT);
}

/* NULL: no memory. */
static struct MHD_Response *make_response(struct connection *connection)
{
    const struct talk *talk = &connection->talk;
    struct MHD_Response *made = make_body(connection);
    enum MHD_Result good = MHD_YES;

    if (!made)
        return NULL;
    for (size_t i = 0; i < talk->response.headers; i++)
        good &= MHD_add_response_header(made, talk->response.header[i].name,
                                        talk->response.header[i].value);
    if (talk->last || atomic_load(&connection->net->server->parting))
        good &= MHD_add_response_header(made, "Connection", "close");
    if (good)
        return made;
    MHD_destroy_response(made);
    return NULL;
}

enum MHD_Result answer_send(struct connection *connection)
{
    struct talk *talk = &connection->talk;

    if (!connection_enter(connection, CONNECTION_WRITING))
        return MHD_NO;
    struct MHD_Response *made = make_response(connection);
    talk->unmade = !made;
    if (!made)
        return MHD_NO;
    enum MHD_Result queued = library_queue(talk->mhd, talk->response.status, made);
    MHD_destroy_response(made);
    if (queued) {
        talk_become(talk, TALK_SENT);
        if (!talk->response.fill)
            connection_count(&talk->sent, talk->response.body.len);
    }
    return queued;
}

/* A request that waits to continue, though with nothing, the library ends twice when
 * more has come behind it; the first time it takes no response. */
enum MHD_Result answer_at_end(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    bool comes_again = talk->ends_twice;

    talk->ends_twice = false;
    talk_become(talk, TALK_ANSWERED);
    return answer_send(connection) || comes_again ? MHD_YES : MHD_NO;
}
