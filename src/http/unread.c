#include "http/unread.h"

#include <microhttpd.h>
#include <stdint.h>

#include "http/connection.h"
#include "http/conversation.h"
#include "http/head.h"
#include "http/inside.h"
#include "http/library_queue.h"
#include "http/refusal.h"

void unread_take_over(void)
{
    library_queue_find();
}

static bool fail_room(enum err_kind kind, const char *what, size_t room, struct err *err)
{
    return fail_limit(err, kind, NULL, room, "--connection-memory",
                      "the %s not fit the %zu bytes of a connection's buffer "
                      "(--connection-memory raises that)",
                      what, room);
}

/* Why the library cannot go on, from the status that it wants to answer. */
static bool fail_unread(const struct talk *talk, unsigned status, size_t room,
                        struct err *err)
{
    switch (status) {
    case MHD_HTTP_URI_TOO_LONG:
        return fail_room(ERR_ADDRESS_TOO_LONG, "address does", room, err);
    case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return fail_room(ERR_HEADERS_TOO_LARGE, "headers do", room, err);
    case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
        return fail(err, ERR_HTTP_VERSION, NULL,
                    "the version of HTTP is another one; HTTP/1.1 or HTTP/1.0 is wanted");
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return fail_limit(err, ERR_TOO_LARGE, NULL, INT64_MAX, NULL,
                          "a chunk has more bytes than any body");
    default:
        break;
    }
    if (talk->state >= TALK_BODY)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "the chunks of the body are not sound; each is its size in "
                    "hexadecimal digits, CR LF, as many bytes and CR LF");
    return fail(err, ERR_BAD_HEADER, NULL,
                "the first line or the headers of the request are not sound; METHOD "
                "TARGET HTTP/1.1 and lines of NAME: VALUE are wanted");
}

/* Are the headers in?  Later libraries are past the mistake for which this is asked. */
static bool is_headed(struct MHD_Connection *mhd)
{
#if MHD_VERSION < 0x00097700
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info && info->header_size > 0;
#else
    (void)mhd;
    return false;
#endif
}

static int count_values(struct MHD_Connection *mhd, enum MHD_ValueKind kind)
{
    return MHD_get_connection_values_n(mhd, kind, NULL, NULL);
}

/* Would the library read on instead of sending an answer, and send another for what comes
 * then?  It does so where there was no room for an argument, of which it has none but
 * behind a NUL in the address: it has arguments, or the first had no room; or the first
 * header, which comes to the same. */
static bool would_read_on(struct net *net, struct MHD_Connection *mhd)
{
    bool lacks_record = net->lacks_record;

    net->lacks_record = false;
    return count_values(mhd, MHD_GET_ARGUMENT_KIND) > 0 ||
           (lacks_record && count_values(mhd, MHD_HEADER_KIND) == 0);
}

/* Refuses what the library would answer by itself with that status and page.  What is
 * returned is for the library: MHD_YES when it has an answer to send. */
static enum MHD_Result refuse_unread(struct connection *connection,
                                     struct MHD_Connection *mhd, unsigned status,
                                     struct MHD_Response *page)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    bool has_first_line = talk->state != TALK_OVER;

    if (!has_first_line)
        conversation_begin(connection, mhd, "");
    bool is_begun = talk->state == TALK_BEGUN;
    if (is_begun)
        head_look(talk);
    fail_unread(talk, status, connection->net->server->settings.connection_memory,
                &exchange->err);
    if (is_begun)
        api_route(exchange); /* for the names in the log */
    talk->unread = true;
    if (is_headed(mhd)) /* the library would send its head twice */
        refusal_past_library(connection);
    else if (has_first_line && would_read_on(connection->net, mhd))
        refusal_past_library_bare(connection); /* it may be to a HEAD */
    else if (refusal_at_once(connection))
        return MHD_YES;
    /* which nobody hears behind ours; but without any the library does not end well */
    return library_queue(mhd, status, page);
}

/* The library closes a connection for which its answer cannot be queued. */
__attribute__((visibility("default"))) enum MHD_Result
MHD_queue_response(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *page)
{
    struct connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    library_queue_find(); /* for who has daemons without a server */
    return connection ? refuse_unread(connection, mhd, status, page)
                      : library_queue(mhd, status, page);
}
