#include "cli/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"

enum { LINE_SIZE = 2048 };

/* Colour is for people, and NO_COLOR (https://no-color.org) is their word. */
static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) && !(no_color && *no_color);
}

static void __attribute__((format(printf, 2, 0)))
line_write(const char *tail, const char *format, va_list args)
{
    char line[LINE_SIZE];
    bool colour = wants_colour();

    vsnprintf(line, sizeof line, format, args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    fprintf(stderr, "%slossctl: %s%s%s\n", colour ? "\033[31m" : "", line, tail,
            colour ? "\033[0m" : "");
}

bool complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    line_write("", format, args);
    va_end(args);
    return false;
}

/* A letter may be one of many that stand together. */
int complain_of_option(const char *command, char *const argv[])
{
    char letter[] = {'-', (char)optopt, '\0'};

    return complain_of_usage(command, "\"%s\" is not an option",
                             optopt ? letter : argv[optind - 1]);
}

int complain_of_usage(const char *command, const char *format, ...)
{
    char tail[64];
    va_list args;

    snprintf(tail, sizeof tail, "; see lossctl %s --help", command);
    va_start(args, format);
    line_write(tail, format, args);
    va_end(args);
    return EXIT_USAGE;
}
