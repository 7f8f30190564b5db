#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    /* What the kernel may hold of a body that we are slow to read; without it a
     * window grows to many megabytes for each connection. */
    RECEIVE_BUFFER = 1 << 20,
    INHERITED_FIRST = 3,
    SOCKET_MODE = 0660
};

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

static bool fail_listen(struct err *err, const char *name, const char *why)
{
    return fail(err, ERR_INTERNAL, NULL, "cannot listen on %s: %s", name, why);
}

/* Closes and keeps errno. */
static int given_up(int fd)
{
    int why = errno;

    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

static int socket_of(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- of the network -------------------------------------------------------------- */

static int listen_at(const struct addrinfo *address)
{
    int fd = socket_of(address->ai_family);

    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER); /* inherited by its connections */
    if (address->ai_family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, LISTENER_BACKLOG) == 0)
        return fd;
    return given_up(fd);
}

static void name_host(const char *host, const char *port, char out[LISTENER_NAME_SIZE])
{
    bool v6 = strchr(host, ':') != NULL;

    snprintf(out, LISTENER_NAME_SIZE, "http://%s%s%s:%s", v6 ? "[" : "", host,
             v6 ? "]" : "", port);
}

/* By where it really is: a port of 0 has become one, and a host's name an address. */
static bool name_bound(struct listener *listener)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(listener->fd, (struct sockaddr *)&address, &size) != 0 ||
        address.ss_family == AF_UNIX ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
        strlen(host) >= ADDRESS_HOST_SIZE)
        return false;
    name_host(host, port, listener->name);
    return true;
}

static bool open_host(const struct address *address, struct listener *out,
                      struct err *err)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char name[LISTENER_NAME_SIZE];

    name_host(address->host, address->port, name);
    int trouble = getaddrinfo(address->host, address->port, &hints, &found);
    if (trouble != 0)
        return fail_listen(err, name + strlen("http://"), gai_strerror(trouble));
    for (struct addrinfo *at = found; at && out->fd < 0; at = at->ai_next)
        out->fd = listen_at(at);
    int why = errno;
    freeaddrinfo(found);
    if (out->fd < 0)
        return fail_listen(err, name + strlen("http://"), strerror(why));
    if (!name_bound(out))
        memcpy(out->name, name, sizeof out->name);
    return true;
}

/* ---- of the file system ---------------------------------------------------------- */

static socklen_t unix_address(const char *path, struct sockaddr_un *out)
{
    size_t len = strlen(path);

    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, len);
    if (*path == '@') /* a name without a file begins with a zero, and has no other */
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*path != '@'));
}

/* A file that a server left which was killed: a socket, and nobody answers. */
static bool is_left_over(const char *path, const struct sockaddr_un *address,
                         socklen_t size)
{
    struct stat file;

    if (*path == '@' || lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = socket_of(AF_UNIX);
    bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)address, size) != 0 &&
                errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return dead;
}

/* False with errno. */
static bool bind_path(int fd, const char *path)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(path, &address);
    const struct sockaddr *at = (const struct sockaddr *)&address;

    if (bind(fd, at, size) == 0)
        return true;
    int why = errno;
    if (why == EADDRINUSE && is_left_over(path, &address, size))
        return unlink(path) == 0 && bind(fd, at, size) == 0;
    errno = why;
    return false;
}

/* Which is ours to remove.  False with errno. */
static bool note_file(struct listener *listener, const char *path)
{
    struct stat file;

    if (lstat(path, &file) != 0)
        return false;
    memcpy(listener->path, path, sizeof listener->path);
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
    return true;
}

/* Before it is closed: until then nobody takes it for left over. */
static void remove_file(const struct listener *listener)
{
    struct stat file;

    if (*listener->path && lstat(listener->path, &file) == 0 &&
        file.st_dev == listener->device && file.st_ino == listener->inode)
        unlink(listener->path);
}

static bool open_path(const struct address *address, struct listener *out,
                      struct err *err)
{
    const char *path = address->path;

    snprintf(out->name, sizeof out->name, "unix:%s", path);
    out->fd = socket_of(AF_UNIX);
    if (out->fd < 0 || !bind_path(out->fd, path))
        return fail_listen(err, out->name, strerror(errno));
    if (*path != '@' && !note_file(out, path))
        return fail_listen(err, out->name, strerror(errno));
    /* nobody can have connected before listen() */
    if ((*out->path && chmod(path, SOCKET_MODE) != 0) ||
        listen(out->fd, LISTENER_BACKLOG) != 0)
        return fail_listen(err, out->name, strerror(errno));
    return true;
}

/* ---- all ------------------------------------------------------------------------- */

static struct listener *add(struct listeners *listeners, struct err *err)
{
    if (listeners->count == LISTENERS_MAX) {
        fail(err, ERR_INTERNAL, NULL, "there are more than %d addresses to listen on",
             LISTENERS_MAX);
        return NULL;
    }
    struct listener *listener = &listeners->at[listeners->count++];
    *listener = (struct listener){.fd = -1};
    return listener;
}

static bool open_one(struct listeners *listeners, struct span text, struct err *err)
{
    struct address address;
    struct listener *listener = add(listeners, err);

    if (!listener || !address_read(text, &address, err))
        return false;
    return *address.path ? open_path(&address, listener, err)
                         : open_host(&address, listener, err);
}

bool listeners_open(struct listeners *listeners, const char *addresses, struct err *err)
{
    struct span rest = span_of(addresses), text;

    while (address_next(&rest, &text))
        if (!open_one(listeners, text, err))
            return false;
    return true;
}

static int option_of(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool listeners_inherit(struct listeners *listeners, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        int fd = INHERITED_FIRST + (int)i;
        struct listener *listener = add(listeners, err);
        if (!listener)
            return false;
        if (option_of(fd, SO_ACCEPTCONN) != 1 || option_of(fd, SO_TYPE) != SOCK_STREAM)
            return fail(err, ERR_INTERNAL, NULL,
                        "descriptor %d, handed down by LISTEN_FDS, is no stream socket "
                        "that listens",
                        fd);
        listener->fd = fd;
        set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        if (!name_bound(listener))
            snprintf(listener->name, sizeof listener->name, "descriptor %d", fd);
    }
    return true;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->at[i];
        remove_file(listener);
        if (listener->fd >= 0)
            close(listener->fd);
    }
    listeners->count = 0;
}
