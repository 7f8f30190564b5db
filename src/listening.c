#include "listening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lossd/base/address.h"
#include "lossd/http/server.h"
#include "option.h"

/* sd_listen_fds(3) */
static size_t inherited_descriptors(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
    bool ours = count && pid && strtoll(pid, NULL, 10) == getpid();
    long long n = ours ? strtoll(count, NULL, 10) : 0;

    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return n > 0 ? (size_t)n : 0;
}

static void choose_addresses(struct listening *listening, const struct config *config)
{
    bool bare_v6 = strchr(config->host, ':') && *config->host != '[';

    if (*config->listen)
        snprintf(listening->addresses, sizeof listening->addresses, "%s", config->listen);
    else
        snprintf(listening->addresses, sizeof listening->addresses, "%s%s%s:%zu",
                 bare_v6 ? "[" : "", config->host, bare_v6 ? "]" : "", config->port);
}

void listening_init(struct listening *listening, const struct config *config)
{
    choose_addresses(listening, config);
    listening->host = *config->listen ? NULL : config->host;
    listening->admin_addresses = config->admin_listen;
    listening->inherited = inherited_descriptors();
}

/* Instead of what is said of the address that it was made part of. */
static bool fail_host(const char *host, struct err *err)
{
    *err = (struct err){0};
    return fail(err, ERR_INVALID_OPTION, NULL,
                "--host is \"%.128s\"; a name or an address is wanted, and its port by "
                "--port",
                host);
}

bool listening_check(const struct listening *listening, struct err *err)
{
    char all[2 * sizeof listening->addresses];

    if (!server_check_addresses(listening->addresses, err))
        return listening->host ? fail_host(listening->host, err) : false;
    snprintf(all, sizeof all, "%s,%s", listening->inherited ? "" : listening->addresses,
             listening->admin_addresses);
    return addresses_check_apart(all, err);
}

/* No error: whoever enables lossd.socket may have left LOSSD_LISTEN where it was. */
void listening_warn(const struct listening *listening, const struct config *config,
                    const struct log *log)
{
    struct config standard;
    struct listening unasked;

    options_reset(&standard);
    choose_addresses(&unasked, &standard);
    if (listening->inherited > 0 && strcmp(listening->addresses, unasked.addresses) != 0)
        log_note(log, LOG_WARNING,
                 "%s (%s) is ignored: LISTEN_FDS hands down what to listen on",
                 *config->listen ? "--listen" : "--host or --port", listening->addresses);
}
