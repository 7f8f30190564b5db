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

/* A body of chunks begins at `body`, where the library has put what came last; chunk_lines.h
 * follows it from there. */
void incoming_follow_chunks(int fd, const char *body);

/* False where the library may have ended such a body too early. */
bool incoming_chunks_have_ended(int fd);

/* The request is over: all that comes next is wanted, and begins another. */
void incoming_rest(int fd);

/* Bytes that the library has read of the connection, or been told of.  From any thread,
 * while the descriptor is open. */
uint64_t incoming_read(int fd);

/* True while what the kernel has no more may not be counted yet; likewise. */
bool incoming_is_being_read(int fd);

#endif
