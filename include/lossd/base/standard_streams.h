/* Standard input, output and error, which whoever starts a program may have closed.
 *
 * The next that is opened would get the number of one of them: a connection, say, into
 * which the log is written then. */
#ifndef LOSSD_BASE_STANDARD_STREAMS_H
#define LOSSD_BASE_STANDARD_STREAMS_H

/* Takes the numbers of those that are closed, so that reading and writing them fails as
 * before.  To be called before anything is opened. */
void standard_streams_hold(void);

#endif
