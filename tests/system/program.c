/* Output goes to files that have no name, so no pipe can fill up and no thread has to
 * read while the program runs.  Only a terminal must be read, and it holds a few
 * kilobytes: enough for complaints. */
#include "program.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 1000 };

/* The program's descriptors, and our ends of them. */
struct ends {
    int in, out, err;
    int master; /* of the terminal, -1: none */
};

static void environment_clear(void)
{
    static const char *const names[] = {"PORT",        "NO_COLOR",   "LOSSCTL_KEY_FILE",
                                        "http_proxy",  "HTTP_PROXY", "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
    char name[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    for (char **entry = environ; *entry;) {
        size_t len = strcspn(*entry, "=");
        if (strncmp(*entry, "LOSSD_", 6) == 0 && len < sizeof name) {
            memcpy(name, *entry, len);
            name[len] = '\0';
            unsetenv(name);
            entry = environ;
        } else {
            entry++;
        }
    }
}

static void environment_add(const char *const *entries)
{
    char name[64];

    for (; *entries; entries++) {
        size_t len = strcspn(*entries, "=");
        memcpy(name, *entries, len);
        name[len] = '\0';
        setenv(name, *entries + len + 1, 1);
    }
}

static int input_open(const char *text)
{
    int pipe_ends[2];
    size_t len = text ? strlen(text) : 0;

    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return -1;
    if (write(pipe_ends[1], text, len) != (ssize_t)len)
        return -1;
    close(pipe_ends[1]);
    return pipe_ends[0];
}

static int terminal_open(int *master)
{
    char name[64];

    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0 ||
        ptsname_r(*master, name, sizeof name) != 0)
        return -1;
    return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static bool ends_open(const struct program *program, struct ends *ends)
{
    ends->master = -1;
    ends->in = input_open(program->input);
    ends->out = program->out_path ? open(program->out_path, O_WRONLY | O_CLOEXEC)
                                  : memfd_create("out", MFD_CLOEXEC);
    ends->err = program->terminal ? terminal_open(&ends->master)
                                  : memfd_create("err", MFD_CLOEXEC);
    return ends->in >= 0 && ends->out >= 0 && ends->err >= 0;
}

/* Never returns. */
static void become(const struct program *program, const struct ends *ends)
{
    const char *argv[PROGRAM_WORDS + 2] = {program->path};

    for (size_t i = 0; program->words[i]; i++)
        argv[i + 1] = program->words[i];
    environment_clear();
    environment_add(program->env);
    dup2(ends->in, STDIN_FILENO);
    dup2(ends->out, STDOUT_FILENO);
    dup2(ends->err, STDERR_FILENO);
    execv(program->path, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void take(int fd, char said[PROGRAM_SAID])
{
    size_t len = 0;
    ssize_t got;

    lseek(fd, 0, SEEK_SET);
    while (len < PROGRAM_SAID - 1 &&
           (got = read(fd, said + len, PROGRAM_SAID - 1 - len)) > 0)
        len += (size_t)got;
    said[len] = '\0';
}

static bool wait_for(pid_t pid, struct ending *ending)
{
    int status;

    if (waitpid(pid, &status, 0) != pid)
        return false;
    ending->status = WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
    return ending->status != 127;
}

bool program_run(const struct program *program, struct ending *ending)
{
    struct ends ends;
    bool ok = ends_open(program, &ends);
    pid_t pid = ok ? fork() : -1;

    if (pid == 0)
        become(program, &ends);
    close(ends.in);
    if (ends.master >= 0)
        close(ends.err); /* the last other end: reading stops when the program ends */
    ok = pid > 0 && wait_for(pid, ending);
    take(ends.out, ending->out);
    take(ends.master >= 0 ? ends.master : ends.err, ending->err);
    close(ends.out);
    close(ends.master >= 0 ? ends.master : ends.err);
    return ok;
}
