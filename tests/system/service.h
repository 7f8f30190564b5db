/* The real program, started for a test on a free port of 127.0.0.1, and stopped.
 *
 * The program is the one that the environment's LOSSD names, else build/lossd.
 * It ends with the test program, however that ends.  What it logs goes to a file
 * that has no name; what it writes to stderr goes to the test's. */
#ifndef LOSSD_TESTS_SERVICE_H
#define LOSSD_TESTS_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct service {
    pid_t pid;
    unsigned port;
    int log; /* descriptor of its log */
};

/* Its path. */
const char *service_program(void);

enum { SERVICE_KILLED = 1000 }; /* added to the signal in an exit status */

/* Starts it with these flags (ends with NULL; NULL for none) besides --port 0 and
 * JSON logs, and waits until it listens.  False: it ended before that. */
bool service_start(struct service *service, const char *const *flags);

/* The same; it inherits `fd`, if that is not -1, as LISTEN_FDS promises. */
bool service_start_with(struct service *service, const char *const *flags, int fd);

/* Sends SIGTERM, waits, and forgets it.  Its exit status. */
int service_stop(struct service *service);

/* Waits until it has ended, and forgets it.  Its exit status. */
int service_wait(struct service *service);

/* What it has logged so far, terminated; to be freed. */
char *service_log(const struct service *service);

/* Waits until `text` is in its log.  False when that does not come true within
 * half a minute. */
bool service_logs(const struct service *service, const char *text);

/* Descriptors that it has open. */
size_t service_descriptors(const struct service *service);

/* Waits until it has no more than `count` of them.  False as above. */
bool service_descriptors_fall_to(const struct service *service, size_t count);

/* Seconds of a core that it has used. */
double service_cpu_seconds(const struct service *service);

/* Seconds that its threads, all together, have run or waited for a core: one that spins
 * adds as much as goes by, however loaded the machine is. */
double service_runnable_seconds(const struct service *service);

/* The port of its --admin-listen 127.0.0.1:0; 0: it has none. */
unsigned service_admin_port(const struct service *service);

/* Kilobytes of memory that it has resident. */
size_t service_resident_kb(const struct service *service);

#endif
