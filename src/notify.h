/* Telling the service manager how we are: sd_notify(3), without its library. */
#ifndef LOSSD_NOTIFY_H
#define LOSSD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
    int fd;              /* -1: nobody wants to know */
    int64_t watchdog_ns; /* to be told WATCHDOG=1 as often as this; 0: not */
    int64_t feed_at_ns;  /* of clock_ns(), the next time */
};

/* As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; they are taken out of the
 * environment. */
struct notify notify_open(void);

/* "READY=1", "STOPPING=1", "WATCHDOG=1", or several with newlines between. */
void notify_say(const struct notify *notify, const char *state);

/* WATCHDOG=1, when it is time for that and the service is well.  Returns for how long it
 * is not again. */
int64_t notify_feed(struct notify *notify, bool is_well);

void notify_close(struct notify *notify);

#endif
