#include "service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FLAGS_MAX = 32, PATIENCE_MS = 30000, STEP_MS = 2 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* A file that is gone when its last descriptor is. */
static int open_log(void)
{
    char name[] = "/tmp/lossd-test-XXXXXX";
    int fd = mkostemp(name, O_APPEND | O_CLOEXEC);

    if (fd >= 0)
        unlink(name);
    return fd;
}

/* The first descriptor that a service manager hands down. */
static void hand_down(int fd)
{
    char pid[24];

    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    if (fd == 3)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, 3);
}

static void become(const char *program, char *const argv[], int log, int inherited)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(log, STDOUT_FILENO);
    if (inherited >= 0)
        hand_down(inherited);
    execv(program, argv);
    fprintf(stderr, "cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static bool has_ended(const struct service *service)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)service->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

/* The port of the line that says where it listens, 0 when it is not there yet. */
static unsigned logged_port(const struct service *service)
{
    static const char words[] = "listening on http://";
    char *log = service_log(service), *at = log ? strstr(log, words) : NULL;
    unsigned port = 0;

    if (at && strchr(at, '\n')) {
        at += strlen(words);
        at += *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":");
        port = (unsigned)strtoul(at + 1, NULL, 10);
    }
    free(log);
    return port;
}

const char *service_program(void)
{
    const char *named = getenv("LOSSD");

    return named ? named : "build/lossd";
}

bool service_start(struct service *service, const char *const *flags)
{
    return service_start_with(service, flags, -1);
}

bool service_start_with(struct service *service, const char *const *flags, int fd)
{
    const char *program = service_program();
    char *argv[FLAGS_MAX] = {strdup(program), strdup("--port"), strdup("0"),
                             strdup("--log-format"), strdup("json")};
    size_t argc = 5;

    for (; flags && *flags && argc < FLAGS_MAX - 1; flags++)
        argv[argc++] = strdup(*flags);
    *service = (struct service){.log = open_log()};
    if (service->log >= 0 && (service->pid = fork()) == 0)
        become(program, argv, service->log, fd);
    while (argc > 0)
        free(argv[--argc]);
    if (service->log < 0 || service->pid < 0)
        return false;
    while ((service->port = logged_port(service)) == 0) {
        if (has_ended(service)) {
            service_wait(service);
            return false;
        }
        pause_ms(STEP_MS);
    }
    return true;
}

int service_wait(struct service *service)
{
    int status = 0;

    while (waitpid(service->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(service->log);
    *service = (struct service){.log = -1};
    return WIFSIGNALED(status) ? SERVICE_KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

int service_stop(struct service *service)
{
    if (service->pid <= 0)
        return -1;
    kill(service->pid, SIGTERM);
    return service_wait(service);
}

char *service_log(const struct service *service)
{
    off_t size = lseek(service->log, 0, SEEK_END);
    char *text = calloc(1, (size_t)(size > 0 ? size : 0) + 1);

    if (text && size > 0 && pread(service->log, text, (size_t)size, 0) < 0)
        text[0] = '\0';
    return text;
}

bool service_logs(const struct service *service, const char *text)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        char *log = service_log(service);
        bool found = log && strstr(log, text);
        free(log);
        if (found)
            return true;
        pause_ms(STEP_MS);
    }
    return false;
}

size_t service_descriptors(const struct service *service)
{
    char path[64];
    size_t count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)service->pid);
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* "." and ".." */
}

bool service_descriptors_fall_to(const struct service *service, size_t count)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (service_descriptors(service) <= count)
            return true;
        pause_ms(STEP_MS);
    }
    return false;
}

double service_cpu_seconds(const struct service *service)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)service->pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *after_name = strrchr(text, ')');
    if (after_name)
        sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double runnable_seconds(const char *path)
{
    unsigned long long ran = 0, waited = 0;
    FILE *file = fopen(path, "r");

    if (!file)
        return 0; /* it has ended */
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        ran = waited = 0;
    fclose(file);
    return (double)(ran + waited) / 1e9;
}

double service_runnable_seconds(const struct service *service)
{
    char pattern[64];
    glob_t threads;
    double sum = 0;

    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/schedstat", (int)service->pid);
    if (glob(pattern, 0, NULL, &threads) != 0)
        return 0;
    for (size_t i = 0; i < threads.gl_pathc; i++)
        sum += runnable_seconds(threads.gl_pathv[i]);
    globfree(&threads);
    return sum;
}

unsigned service_admin_port(const struct service *service)
{
    static const char words[] = ", http://127.0.0.1:";
    char *log = service_log(service), *at = log ? strstr(log, words) : NULL;
    unsigned port = at ? (unsigned)strtoul(at + strlen(words), NULL, 10) : 0;

    free(log);
    return port;
}

size_t service_resident_kb(const struct service *service)
{
    char path[64], line[256];
    size_t kb = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)service->pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %zu kB", &kb) == 1)
            break;
    fclose(file);
    return kb;
}
