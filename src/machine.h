/* What the machine, or the container on it, lets this process have.
 *
 * `root` stands before every path that is read: "" for the real machine.
 * Nothing here fails; what cannot be read does not limit. */
#ifndef LOSSD_MACHINE_H
#define LOSSD_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Cores' worth of processor time, at least 1: what the scheduler's affinity allows
 * and the quota of the control group, rounded up. */
size_t machine_cores(const char *root);

/* Bytes that the control group may use, 0 when it has no limit. */
uint64_t machine_memory_limit(const char *root);

/* Bytes of memory of the whole machine. */
uint64_t machine_memory(void);

/* Descriptors that this process may have open, 0 when there is no limit.  Takes all that
 * it is allowed to take: raises the soft limit to the hard one. */
size_t machine_descriptors(void);

#endif
