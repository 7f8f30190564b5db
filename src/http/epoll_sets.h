/* The library ends the process where a descriptor cannot be taken out of an epoll set.  It
 * calls epoll_ctl() and epoll_wait() through the dynamic linker, and finds those of
 * epoll_sets.c, which do not fail there.  And where it is told of as many events as it has
 * room for, it waits for more before it looks at any; there it never is.
 *
 * They are those of the whole program, and of one kind: what is added by that epoll_ctl() is
 * found by that epoll_wait().  epoll_pwait() and the like are the system's, and tell of other
 * data than was added. */
#ifndef LOSSD_HTTP_EPOLL_SETS_H
#define LOSSD_HTTP_EPOLL_SETS_H

/* To be called by the program, which then has them, before it makes its first set. */
void epoll_sets_take_over(void);

#endif
