#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lossd/base/clock.h"

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if ((*path != '/' && *path != '@') || len < 2 || len >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, len);
    if (*path == '@') /* a name without a file */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Half of what the manager waits for; 0 when it does not wait for us. */
static int64_t watchdog_of(const char *usec, const char *pid)
{
    if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    int64_t us = strtoll(usec, NULL, 10);
    return us > 0 && us < INT64_MAX / 1000 ? us * 1000 / 2 : 0;
}

struct notify notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct notify notify = {.fd = path ? connect_to(path) : -1};

    if (notify.fd >= 0)
        notify.watchdog_ns = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return notify;
}

void notify_say(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0)
        send(notify->fd, state, strlen(state), MSG_NOSIGNAL);
}

int64_t notify_feed(struct notify *notify, bool is_well)
{
    int64_t now = clock_ns();

    if (notify->watchdog_ns == 0)
        return INT64_MAX;
    if (now >= notify->feed_at_ns) {
        notify->feed_at_ns = now + notify->watchdog_ns;
        if (is_well)
            notify_say(notify, "WATCHDOG=1");
    }
    return notify->feed_at_ns - now;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}
