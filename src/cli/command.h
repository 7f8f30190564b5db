/* lossctl's commands: what main() may call. */
#ifndef LOSSD_CLI_COMMAND_H
#define LOSSD_CLI_COMMAND_H

/* What lossctl exits with. */
enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

/* argv[0] is the command's own name.  They return what to exit with. */
int command_health(int argc, char *argv[]);
int command_score(int argc, char *argv[]);

#endif
