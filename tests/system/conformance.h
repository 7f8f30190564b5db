/* Where the numbers of others are, which ours are held against. */
#ifndef LOSSD_TESTS_CONFORMANCE_H
#define LOSSD_TESTS_CONFORMANCE_H

/* The folder that the environment's LOSSD_CONFORMANCE names, else the usual one; it need
 * not be there. */
const char *conformance_folder(void);

#endif
