/* A program run to its end: what it is given, what it says, how it exits. */
#ifndef LOSSD_TESTS_PROGRAM_H
#define LOSSD_TESTS_PROGRAM_H

#include <stdbool.h>

enum { PROGRAM_WORDS = 16, PROGRAM_SAID = 64 << 10 };

struct program {
    const char *path;
    const char *words[PROGRAM_WORDS]; /* behind its name, NULL after the last */
    const char *env[PROGRAM_WORDS];   /* "NAME=value", NULL after the last */
    const char *input;                /* through a pipe, at most 64 KiB; NULL: nothing */
    const char *out_path;             /* where stdout goes; NULL: into `out` */
    bool terminal;                    /* stderr is a terminal */
};

/* Texts are terminated and cut at PROGRAM_SAID. */
struct ending {
    int status; /* of exit(), 1000 + the signal when it was killed by one */
    char out[PROGRAM_SAID];
    char err[PROGRAM_SAID];
};

/* Runs it in this environment less what it might mistake for its own: LOSSD_*, LOSSCTL_*, PORT,
 * NO_COLOR, and proxies.  False when it could not be started. */
bool program_run(const struct program *program, struct ending *ending);

#endif
