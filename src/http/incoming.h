/* What comes in on a connection: how much of it there has been, and what of it is not
 * wanted.
 *
 * The library reads the body of a request that has been refused as it reads any other, and
 * it takes longer to copy it than all the rest of the refusal takes; and it tells nobody
 * that a request has begun before its first line is complete.  It calls recv() through the
 * dynamic linker, and finds that of incoming.c, which counts, and drops what is not wanted
 * within the kernel: it says how much has come, and mostly leaves the library's buffer as
 * it was. */
#ifndef LOSSD_HTTP_INCOMING_H
#define LOSSD_HTTP_INCOMING_H

#include <stdbool.h>
#include <stdint.h>

/* To be called by the program, which then has that recv(), before it starts the first
 * daemon. */
void incoming_take_over(void);

/* A connection begins on the descriptor, of which all is wanted.  Without memory for it
 * nothing is counted and nothing dropped. */
void incoming_begin(int fd);

/* Of what comes next that many bytes are not wanted; 0: all are.  On the thread that reads
 * from it, and to be taken back before it is closed. */
void incoming_drop(int fd, uint64_t bytes);

/* What comes next is a body whose length is known: nobody looks at its lines. */
void incoming_pass_lines(int fd);

/* The request is over: of what comes next all is wanted, and its lines matter. */
void incoming_rest(int fd);

/* May a line have come, among all that has, that ends the trailers of a chunked body for
 * the library, though it is not empty: one that begins with a colon or a NUL?  What is
 * behind it the library takes for another request. */
bool incoming_may_end_early(int fd);

/* Bytes that the library has read of the connection, or been told of.  From any thread,
 * while the descriptor is open. */
uint64_t incoming_read(int fd);

/* True while what the kernel has no more may not be counted yet; likewise. */
bool incoming_is_being_read(int fd);

#endif
