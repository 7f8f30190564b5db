/* Where the server of this machine listens.
 *
 * It is looked for where its own settings put it: the first address of `listen` that has a
 * port, or else its first socket; without that `host` and `port`.  So the health check of
 * an image goes on working when they are changed.  Health is asked for where `admin-listen`
 * has it told whatever the load, if that is set.
 *
 * They are the variables of the environment and, where LOSSD_CONFIG names one, those of its
 * file; flags of a server nobody else can know. */
#ifndef LOSSD_CLI_LOCAL_SERVER_H
#define LOSSD_CLI_LOCAL_SERVER_H

#include <stdbool.h>

#include "lossd/base/address.h"

/* False after a complaint: what is wrong there is told, for a server does not start with
 * it, and one that answers elsewhere is another. */
bool local_server_find(bool is_for_health, struct address *out);

#endif
