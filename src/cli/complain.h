/* What goes wrong, on stderr, in red when that is a terminal. */
#ifndef LOSSD_CLI_COMPLAIN_H
#define LOSSD_CLI_COMPLAIN_H

#include <stdbool.h>

/* Writes "lossctl: " and one line.  Control characters, which may come from a server
 * or a file's name, are written as "?".  Returns false. */
bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a mistake in the command line: adds where help is.  Returns
 * EXIT_USAGE. */
int complain_of_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for the option that getopt has just found to be none. */
int complain_of_option(const char *command, char *const argv[]);

#endif
