/* What a connection is doing. */
#ifndef LOSSD_HTTP_PHASE_H
#define LOSSD_HTTP_PHASE_H

enum connection_phase {
    CONNECTION_HEAD,    /* headers are on their way, or nothing has come yet */
    CONNECTION_BODY,    /* a body is on its way */
    CONNECTION_BUSY,    /* the answer is being made */
    CONNECTION_WRITING, /* the answer is on its way */
    CONNECTION_IDLE,    /* between requests */
    /* from here on taken from the client, to be closed */
    CONNECTION_EXPIRED,
    CONNECTION_REFUSED, /* the same, and it has been told: 408 */
    CONNECTION_LEFT     /* the same, because it had closed its side */
};

#endif
