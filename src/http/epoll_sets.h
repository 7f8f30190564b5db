/* The library ends the process where a descriptor cannot be taken out of an epoll set.  It
 * calls epoll_ctl() and epoll_wait() through the dynamic linker, and finds those of
 * epoll_sets.c, which do not fail there. */
#ifndef LOSSD_HTTP_EPOLL_SETS_H
#define LOSSD_HTTP_EPOLL_SETS_H

/* To be called by the program, which then has them, before it makes its first set. */
void epoll_sets_take_over(void);

#endif
