/* A connection to the service: requests out, answers in, bodies of any length. */
#ifndef LOSSD_CLI_CLIENT_H
#define LOSSD_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes of a refusal that are kept. */
enum { CLIENT_KEPT_SIZE = 64 << 10, CLIENT_WHY_SIZE = 320 };

/* Seconds that connecting may take. */
#define CLIENT_CONNECT_S 10L

struct client;

struct client_request {
    const char *url;
    const char *socket; /* instead of TCP: a path or "@name"; "" or NULL: none */
    bool is_local;      /* the server of this machine: not through a proxy */
    const char *key;    /* that the server wants, NULL: none */
    FILE *body; /* read from where it stands, while it is sent: POST.  NULL: GET */
    const char *media_type; /* of the body */
    FILE *out;              /* takes the body of a 2xx answer.  NULL: it is dropped */
    long timeout_ms;        /* for all of it, 0: none */
    long patience_s;        /* while nothing is taken or sent, 0: without an end */
};

struct client_answer {
    long status;                 /* 0: none came */
    char kept[CLIENT_KEPT_SIZE]; /* the body of any other answer, cut */
    size_t kept_len;
    bool is_silent;            /* nothing of a body came */
    bool is_refused;           /* there is no connection to be had */
    bool is_stalled;           /* patience has come to its end */
    char why[CLIENT_WHY_SIZE]; /* why there is no answer, or not all of it */
};

/* Connections stay open between requests.  NULL: no memory.  client_close() takes
 * NULL too. */
struct client *client_open(void);
void client_close(struct client *client);

/* Sends the request and waits for the answer.  True when a whole answer of any
 * status came; else `why` says what happened. */
bool client_send(struct client *client, const struct client_request *request,
                 struct client_answer *answer);

#endif
