/* A server in a process of its own: started, watched and ended. */
#ifndef LOSSD_BENCH_PROCESS_H
#define LOSSD_BENCH_PROCESS_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

struct process {
    pid_t pid;
    unsigned port;
};

static inline void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* A port that nobody has at the moment. */
static inline unsigned free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        load_fail("free port");
    close(fd);
    return ntohs(at.sin_port);
}

/* Becomes the program, whose log lines are made but not kept.  It ends when this
 * process does. */
static inline void become(const char *program, const char *flag, unsigned port,
                          pid_t parent)
{
    char number[16];
    int nowhere = open("/dev/null", O_RDWR);

    snprintf(number, sizeof number, "%u", port);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 ||
        dup2(nowhere, STDERR_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        getppid() != parent)
        _exit(126);
    execl(program, program, flag, number, (char *)NULL);
    _exit(127);
}

/* Starts `program flag PORT` and waits until it takes connections. */
static inline struct process process_start(const char *program, const char *flag)
{
    struct process process = {.port = free_port()};
    pid_t self = getpid();

    process.pid = fork();
    if (process.pid < 0)
        load_fail("fork");
    if (process.pid == 0)
        become(program, flag, process.port, self);
    for (int tries = 0; tries < 500; tries++) {
        int fd = dial(process.port);
        if (fd >= 0) {
            close(fd);
            return process;
        }
        if (waitpid(process.pid, NULL, WNOHANG) == process.pid)
            break;
        pause_ms(10);
    }
    fprintf(stderr, "%s: %s does not take connections\n", program_invocation_short_name,
            program);
    exit(1);
}

static inline void process_end(const struct process *process)
{
    kill(process->pid, SIGTERM);
    for (int tries = 0; tries < 500; tries++) {
        if (waitpid(process->pid, NULL, WNOHANG) == process->pid)
            return;
        pause_ms(10);
    }
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
}

/* User and system time of all its threads, in nanoseconds: the same sum as in
 * /proc/PID/stat, but not in ticks of 10 ms. */
static inline double process_cpu_ns(const struct process *process)
{
    clockid_t clock;
    struct timespec time;

    if (clock_getcpuclockid(process->pid, &clock) != 0 ||
        clock_gettime(clock, &time) != 0)
        load_fail("CPU clock");
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* A line of /proc/PID/status, "VmRSS:" or "VmHWM:", in megabytes. */
static inline double process_memory(const struct process *process, const char *name)
{
    char path[64], line[200];
    double megabytes = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)process->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            megabytes = strtod(line + strlen(name), NULL) * 1024 / 1e6;
    if (file)
        fclose(file);
    return megabytes;
}

/* Lets VmHWM, the most memory ever held, begin again at what is held now.  Where the
 * system does not allow it, VmHWM goes on counting from the start. */
static inline void process_forget_peak(const struct process *process)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)process->pid);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

#endif
