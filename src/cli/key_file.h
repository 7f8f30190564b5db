/* The key that the service wants, from a file. */
#ifndef LOSSD_CLI_KEY_FILE_H
#define LOSSD_CLI_KEY_FILE_H

#include <stdbool.h>

enum { KEY_FILE_SIZE = 256 };

/* The first key of a file as the server has it: one a line, # begins a comment.  False
 * after a complaint. */
bool key_file_read(const char *path, char key[KEY_FILE_SIZE]);

#endif
