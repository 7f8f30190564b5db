/* A network thread: a daemon of the HTTP library, and what the library calls us for.
 *
 * It has an epoll of its own and no listening socket.  The library's limit on connections
 * is out of reach: at it, handing over one more would lock it up.  Its timeout is a second
 * net behind the reaper's. */
#include "http/net.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/conversation.h"
#include "http/inside.h"
#include "lossd/base/thread.h"

enum {
    LIBRARY_CONNECTIONS = INT_MAX, /* no process has so many descriptors */
    LIBRARY_LINE = 512
};

/* What the library has to say is about single connections, and clients can make
 * it say much: for those who look for it. */
__attribute__((format(printf, 2, 0))) static void
on_library_line(void *cls, const char *format, va_list args)
{
    struct net *net = cls;
    const struct server *server = net->server;
    char line[LIBRARY_LINE];

    vsnprintf(line, sizeof line, format, args);
    net->lacks_room = strstr(line, "failed to create response header");
    net->lacks_record |= strstr(line, "pool to allocate header record") != NULL;
    if (server->log->lowest > LOG_DEBUG)
        return;
    log_note(server->log, LOG_DEBUG, "libmicrohttpd: %.*s", (int)strcspn(line, "\n"),
             line);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct net *net = cls;

    if (!net->is_prompt) /* the library tells of its threads' start in no other way */
        thread_be_prompt();
    net->is_prompt = true;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        net->lacks_room = net->lacks_record = false;
        if (*context) {
            /* should the library not have told of the end of a request */
            conversation_end(*context, MHD_REQUEST_TERMINATED_CLIENT_ABORT);
            connection_free(&net->registry, *context);
        }
        *context = NULL;
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *context = connection_new(&net->registry, net, fd, address);
    if (!*context) { /* no memory: it ends before it has begun */
        tally_refusal(net->server, REFUSAL_MEMORY);
        shutdown(fd, SHUT_RDWR);
    }
    /* counted in the registry now; the other way round it would be missing from
     * both for a moment */
    net_note_arriving(net, atomic_fetch_sub(&net->arriving, 1) - 1);
}

static void *on_first_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    (void)cls;
    if (connection)
        conversation_begin(connection, mhd, uri);
    return connection;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version,
                                  const char *piece, size_t *size, void **context)
{
    (void)cls, (void)mhd, (void)url;
    if (!*context)
        return MHD_NO;
    return conversation_go_on(*context, method, version, piece, size);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)mhd;
    if (*context)
        conversation_end(*context, code);
}

/* Seconds of the library's own timeout: longer than any of the reaper's. */
static unsigned library_timeout(const struct server_settings *settings)
{
    int64_t longest = settings->header_timeout_ns;
    const int64_t others[] = {settings->body_timeout_ns, settings->write_timeout_ns,
                              settings->keepalive_timeout_ns};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] > longest)
            longest = others[i];
    int64_t seconds = longest / 500000000 + 2;
    return seconds < UINT_MAX / 2 ? (unsigned)seconds : UINT_MAX / 2;
}

bool net_open(struct net *net, enum MHD_FLAG thread)
{
    struct server *server = net->server;
    const struct server_settings *settings = &server->settings;

    net->daemon = MHD_start_daemon(
        thread | MHD_USE_EPOLL | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, net,
        /* the logger first, or what the others have to say goes to stderr */
        MHD_OPTION_EXTERNAL_LOGGER, on_library_line, net, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LIBRARY_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        settings->connection_memory, MHD_OPTION_CONNECTION_TIMEOUT,
        library_timeout(settings), MHD_OPTION_NOTIFY_CONNECTION, on_connection, net,
        MHD_OPTION_URI_LOG_CALLBACK, on_first_line, net, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, net, MHD_OPTION_END);
    return net->daemon != NULL;
}
