/* Read anew each time, because descriptors kept open for it would be missing
 * elsewhere.  When all are in use nothing in /proc can be opened, and then that
 * itself says how many there are. */
#include "lossd/obs/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LISTING = 16384, STAT_LINE = 1024 };

struct stat_line {
    unsigned long long threads, start_ticks, resident_pages;
};

static bool read_stat(struct stat_line *out)
{
    char line[STAT_LINE];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t len = read(fd, line, sizeof line - 1);
    close(fd);
    line[len > 0 ? len : 0] = '\0';
    /* fields from the third on; the second is a name, and may have spaces */
    const char *after_name = strrchr(line, ')');
    return after_name &&
           sscanf(after_name,
                  ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                  "%*d %llu %*d %llu %*u %llu",
                  &out->threads, &out->start_ticks, &out->resident_pages) == 3;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Found out once: it would seem to move with each correction of the clock, and a
 * start that moves is taken for a restart. */
static uint64_t started_ns;

static void find_start(void)
{
    struct stat_line line;
    uint64_t now = now_ns(CLOCK_REALTIME), age = 0;
    long ticks_a_second = sysconf(_SC_CLK_TCK);

    if (ticks_a_second > 0 && read_stat(&line))
        age = now_ns(CLOCK_BOOTTIME) -
              line.start_ticks * (1000000000 / (uint64_t)ticks_a_second);
    started_ns = now - age;
}

/* Without opendir(), which takes memory.  False: it cannot be opened. */
static bool count_descriptors(uint64_t *count)
{
    _Alignas(struct dirent64) char listing[LISTING];
    int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return false;
    *count = 0;
    while ((len = getdents64(fd, listing, sizeof listing)) > 0)
        for (ssize_t at = 0; at < len;) {
            const struct dirent64 *entry = (const void *)(listing + at);
            *count += entry->d_name[0] != '.';
            at += entry->d_reclen;
        }
    close(fd);
    *count -= *count > 0; /* our own look at them */
    return true;
}

static void gauge_descriptors(struct meter *meter)
{
    struct rlimit limit = {0};
    uint64_t open_now;

    getrlimit(RLIMIT_NOFILE, &limit);
    meter_set(meter, METRIC_process_max_fds, 0, limit.rlim_cur);
    if (count_descriptors(&open_now))
        meter_set(meter, METRIC_process_open_fds, 0, open_now);
    else if (errno == EMFILE)
        meter_set(meter, METRIC_process_open_fds, 0, limit.rlim_cur);
}

void process_gauge(void *ctx, struct meter *meter)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat_line line;
    long page = sysconf(_SC_PAGESIZE);

    (void)ctx;
    pthread_once(&once, find_start);
    meter_set(meter, METRIC_process_start_time_seconds, 0, started_ns);
    meter_set(meter, METRIC_process_cpu_seconds, 0, now_ns(CLOCK_PROCESS_CPUTIME_ID));
    gauge_descriptors(meter);
    if (!read_stat(&line))
        return;
    meter_set(meter, METRIC_process_threads, 0, line.threads);
    meter_set(meter, METRIC_process_resident_memory_bytes, 0,
              line.resident_pages * (uint64_t)page);
}
