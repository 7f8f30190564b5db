/* What the library cannot read, and would refuse with a page of its own, is refused by us in
 * its place.
 *
 * The library gives all of its answers by calling MHD_queue_response() through the dynamic
 * linker, and finds ours: there is no other way to be told of them, nor of the connection
 * they are for.  A library that would not do so any more would send its pages again. */
#ifndef LOSSD_HTTP_UNREAD_H
#define LOSSD_HTTP_UNREAD_H

/* To be called by the program, which then has ours, before it starts the first daemon. */
void unread_take_over(void);

#endif
