/* Where to listen: what the settings say of it when they are taken together, and what a
 * service manager hands down instead. */
#ifndef LOSSD_LISTENING_H
#define LOSSD_LISTENING_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "lossd/base/err.h"
#include "lossd/obs/log.h"

struct listening {
    char addresses[CONFIG_STRING_SIZE + 16]; /* of the settings */
    const char *host;            /* that they are made of; NULL: they are given as such */
    const char *admin_addresses; /* those of `config` */
    size_t inherited;            /* sockets from 3 on, instead */
};

/* `config` must outlive it.  Takes LISTEN_FDS and what belongs to it out of the
 * environment. */
void listening_init(struct listening *listening, const struct config *config);

/* False, with `err` filled: one is none, or two could not be listened on at the same
 * time. */
bool listening_check(const struct listening *listening, struct err *err);

/* Warns of settings that are given and not followed. */
void listening_warn(const struct listening *listening, const struct config *config,
                    const struct log *log);

#endif
