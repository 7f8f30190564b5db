/* What a thread asks of the kernel's scheduler. */
#ifndef LOSSD_BASE_THREAD_H
#define LOSSD_BASE_THREAD_H

/* The calling thread does little at a time and would like to do it at once, before
 * those that compute for long; it gets no larger share of a core for it.  Where the
 * kernel knows nothing of that (before Linux 6.12) nothing changes. */
void thread_be_prompt(void);

/* The calling thread becomes so many steps nicer (nice(2)) than it is. */
void thread_give_way(unsigned steps);

#endif
