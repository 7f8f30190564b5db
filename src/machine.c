/* Control groups, both versions of them.
 *
 * /proc/self/cgroup names our group in each hierarchy, and a limit may sit on it or
 * on any group above it; the lowest counts.  Inside a container the group's own
 * directory is often mounted at the top and the name leads nowhere, so looking at
 * every level from the name up to the top is right in both cases. */
#include "machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

/* Where the controllers are usually mounted. */
static const char *const v2_mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL};
static const char *const memory_mounts[] = {"/sys/fs/cgroup/memory", NULL};
static const char *const cpu_mounts[] = {"/sys/fs/cgroup/cpu",
                                         "/sys/fs/cgroup/cpu,cpuacct", NULL};

/* A limit found in one directory, 0 when there is none. */
typedef uint64_t limit_read(const char *directory);

/* The first line of directory/name. */
static bool line_read(const char *directory, const char *name, char *line, int size)
{
    char path[PATH_SIZE + 64];
    bool ok;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    ok = fgets(line, size, file) != NULL;
    fclose(file);
    return ok;
}

/* A number above 0; "max", "-1" and what is not there are 0. */
static uint64_t number_at(const char *directory, const char *name)
{
    char line[64];
    int64_t value = 0;

    if (!line_read(directory, name, line, sizeof line) ||
        sscanf(line, "%" SCNd64, &value) != 1 || value < 0)
        return 0;
    return (uint64_t)value;
}

static uint64_t memory_v1(const char *directory)
{
    return number_at(directory, "memory.limit_in_bytes");
}

static uint64_t memory_v2(const char *directory)
{
    return number_at(directory, "memory.max");
}

static uint64_t cores_of(uint64_t quota, uint64_t period)
{
    return period ? quota / period + (quota % period != 0) : 0;
}

static uint64_t cpu_v1(const char *directory)
{
    return cores_of(number_at(directory, "cpu.cfs_quota_us"),
                    number_at(directory, "cpu.cfs_period_us"));
}

static uint64_t cpu_v2(const char *directory)
{
    char line[64];
    uint64_t quota;
    uint64_t period;

    if (!line_read(directory, "cpu.max", line, sizeof line) ||
        sscanf(line, "%" SCNu64 " %" SCNu64, &quota, &period) != 2)
        return 0;
    return cores_of(quota, period);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The lowest limit from mount/group up to the mount itself. */
static uint64_t limit_along(const char *root, const char *mount, const char *group,
                            limit_read *read)
{
    char path[PATH_SIZE];
    uint64_t limit = 0;
    size_t top = strlen(root) + strlen(mount);

    if (top + strlen(group) >= sizeof path)
        return 0;
    snprintf(path, sizeof path, "%s%s%s", root, mount, group);
    for (;;) {
        limit = lower(limit, read(path));
        char *slash = strrchr(path + top, '/');
        if (!slash)
            return limit;
        *slash = '\0';
    }
}

static uint64_t limit_in(const char *root, const char *const *mounts, const char *group,
                         limit_read *read)
{
    uint64_t limit = 0;

    for (; *mounts; mounts++)
        limit = lower(limit, limit_along(root, *mounts, group, read));
    return limit;
}

static bool list_has(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* Reads "4:memory:/group" lines, or "0::/group" of version 2. */
static uint64_t group_limit(const char *root, const char *controller,
                            const char *const *v1_mounts, limit_read *v1, limit_read *v2)
{
    char path[PATH_SIZE];
    char line[LINE_SIZE];
    uint64_t limit = 0;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *controllers++ = *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        if (*controllers == '\0')
            limit = lower(limit, limit_in(root, v2_mounts, group, v2));
        else if (list_has(controllers, controller))
            limit = lower(limit, limit_in(root, v1_mounts, group, v1));
    }
    fclose(file);
    return limit;
}

size_t machine_cores(const char *root)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t cores = online > 0 ? (uint64_t)online : 0;

    /* there is no room in the set for a machine that may have more than 1024 */
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cores = (uint64_t)CPU_COUNT(&set);
    cores = lower(cores, group_limit(root, "cpu", cpu_mounts, cpu_v1, cpu_v2));
    return cores ? (size_t)cores : 1;
}

uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);

    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

uint64_t machine_memory_limit(const char *root)
{
    uint64_t limit = group_limit(root, "memory", memory_mounts, memory_v1, memory_v2);

    /* version 1 says "no limit" with a number near 2^63 */
    return limit < (uint64_t)INT64_MAX / 2 ? limit : 0;
}

/* A soft limit below the hard one is for programs that use select(); this is none. */
size_t machine_descriptors(void)
{
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    return limit.rlim_cur == RLIM_INFINITY ? 0 : (size_t)limit.rlim_cur;
}
