/* What a client sends though nobody wants it is dropped within the kernel.
 *
 * The library reads the body of a request that has been refused as it reads any other, and
 * it takes longer to copy it than all the rest of the refusal takes.  It calls recv()
 * through the dynamic linker, and finds that of unwanted.c, which says how much has come
 * and mostly leaves the library's buffer as it was. */
#ifndef LOSSD_HTTP_UNWANTED_H
#define LOSSD_HTTP_UNWANTED_H

#include <stdint.h>

/* To be called by the program, which then has that recv(), before it starts the first
 * daemon. */
void unwanted_take_over(void);

/* The next bytes of the socket, as many as that, are not wanted; 0: all are.  On the thread
 * that reads from it, and to be taken back before it is closed. */
void unwanted(int fd, uint64_t bytes);

#endif
