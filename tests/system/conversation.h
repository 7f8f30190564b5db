/* A conversation: a request, the reply it must get, and a heading that says what
 * is true.  tests/README.md describes how they are written down. */
#ifndef LOSSD_TESTS_CONVERSATION_H
#define LOSSD_TESTS_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "agree.h"
#include "client.h"
#include "markdown.h"

enum { REPLY_HEADERS = 4, SERVER_FLAGS = 8 };

struct conversation {
    const char *heading;
    unsigned line;
    const char *const *flags; /* of the server that is asked, ends with NULL */
    struct question question;
    char *sent;       /* its body */
    bool socket_only; /* it is the HTTP layer that answers */

    unsigned status;
    const char *header[REPLY_HEADERS]; /* "Name: value", NULL after the last */
    char *body;                        /* for agree(); NULL when none is looked at */
    struct allowance allowance;
    bool float32;
};

/* All conversations of one page. */
struct script {
    struct markdown page;
    struct conversation *conversations;
    size_t count;
    const char *flags[SERVER_FLAGS + 1];
};

/* Reads a page.  False: `why` names the file, the line and what is wrong there. */
bool script_read(struct script *script, const char *path, char why[400]);
void script_release(struct script *script);

/* Is this the reply?  Its status, the headers that are named, its body; and what
 * is true of every reply: the media type, valid JSON, the shortest numbers. */
bool conversation_holds(const struct conversation *conversation,
                        const struct answer *answer, char why[400]);

#endif
