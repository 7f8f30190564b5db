/* A variable beats the file, and PORT, which platforms set for any service, is between
 * them.  Kubernetes puts LOSSD_PORT=tcp://... beside a Service of that name, and that is
 * passed over, as the server does. */
#include "cli/local_server.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complain.h"
#include "lossd/base/line_file.h"

enum { PLACE_SIZE = 512, VALUE_SIZE = 256 };

/* Settings that tell where it listens. */
enum { HOST, PORT, LISTEN, ADMIN_LISTEN, SETTINGS };

static const struct {
    const char *key, *variable;
} names[SETTINGS] = {{"host", "LOSSD_HOST"},
                     {"port", "LOSSD_PORT"},
                     {"listen", "LOSSD_LISTEN"},
                     {"admin-listen", "LOSSD_ADMIN_LISTEN"}};

struct setting {
    char place[PLACE_SIZE]; /* "LOSSD_PORT", "lossd.conf:3: port" */
    bool is_of_file;
    char value[VALUE_SIZE]; /* "": not set */
};

static void set(struct setting *setting, struct span value)
{
    snprintf(setting->value, VALUE_SIZE, "%.*s", (int)value.len, value.at);
}

/* What else the file has, and whether that is right, is for the server to say. */
static bool take_line(void *ctx, const struct line *line, struct err *err)
{
    static const char blanks[] = " \t\r";
    struct setting *settings = ctx;
    struct span text = line->text;
    const char *equals = memchr(text.at, '=', text.len);

    (void)err;
    if (!equals)
        return true;
    struct span key = {text.at, (size_t)(equals - text.at)};
    struct span value = {equals + 1, text.len - key.len - 1};
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!span_is(span_trim(key, blanks), names[i].key))
            continue;
        snprintf(settings[i].place, PLACE_SIZE, "%s:%zu: %s", line->path, line->number,
                 names[i].key);
        set(&settings[i], span_trim(value, blanks));
    }
    return true;
}

static bool is_service_link(const char *variable, const char *value)
{
    return strcmp(variable, "LOSSD_PORT") == 0 &&
           strncmp(value, "tcp://", strlen("tcp://")) == 0;
}

static void take_variable(struct setting *setting, const char *variable)
{
    const char *value = getenv(variable);

    if (!value || !*value || is_service_link(variable, value))
        return;
    snprintf(setting->place, PLACE_SIZE, "%s", variable);
    setting->is_of_file = false;
    set(setting, span_of(value));
}

/* False after a complaint. */
static bool settings_read(struct setting settings[SETTINGS])
{
    const char *file = getenv("LOSSD_CONFIG");
    struct err err = {0};

    for (size_t i = 0; i < SETTINGS; i++)
        settings[i] = (struct setting){.is_of_file = true};
    if (file && *file && !line_file_read(file, take_line, settings, &err))
        return complain("%s", err.detail);
    take_variable(&settings[PORT], "PORT");
    for (size_t i = 0; i < SETTINGS; i++)
        take_variable(&settings[i], names[i].variable);
    return true;
}

/* Of a list the first with a port, or else the first.  False after a complaint. */
static bool listening_address(const struct setting *setting, struct address *out)
{
    struct span rest = span_of(setting->value), text;
    struct address address;
    struct err err = {0};

    do {
        address_next(&rest, &text); /* of a list without any the first is "" */
        if (!address_read(text, &address, &err))
            return complain("%s: %s", setting->place, err.detail);
        bool is_first = !*out->path && !*out->port;
        if (is_first || (*out->path && !*address.path))
            *out = address;
        rest = span_trim(rest, ",");
    } while (rest.len > 0);
    return true;
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && text[digits] == '\0' && strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* Less the brackets that IPv6 may have. */
static void host_copy(const char *host, char out[ADDRESS_HOST_SIZE])
{
    size_t len = strlen(host);
    bool is_bracketed = *host == '[' && host[len - 1] == ']';

    snprintf(out, ADDRESS_HOST_SIZE, "%.*s", (int)(is_bracketed ? len - 2 : len),
             is_bracketed ? host + 1 : host);
}

/* False after a complaint. */
static bool host_and_port(const struct setting *host, const struct setting *port,
                          struct address *out)
{
    const char *number = *port->value ? port->value : "8080";

    if (!is_port(number))
        return complain("%s is \"%s\"; wanted a whole number from 0 to 65535",
                        port->place, number);
    host_copy(*host->value ? host->value : "127.0.0.1", out->host);
    snprintf(out->port, sizeof out->port, "%hu", (uint16_t)strtoul(number, NULL, 10));
    return true;
}

/* Addresses of the file do not stand instead of a host or port from the environment. */
static bool is_outweighed(const struct setting settings[SETTINGS])
{
    return settings[LISTEN].is_of_file &&
           !(settings[HOST].is_of_file && settings[PORT].is_of_file);
}

bool local_server_find(bool is_for_health, struct address *out)
{
    struct setting settings[SETTINGS];

    *out = (struct address){0};
    if (!settings_read(settings))
        return false;
    if (is_for_health && *settings[ADMIN_LISTEN].value)
        return listening_address(&settings[ADMIN_LISTEN], out);
    if (*settings[LISTEN].value && !is_outweighed(settings))
        return listening_address(&settings[LISTEN], out);
    return host_and_port(&settings[HOST], &settings[PORT], out);
}
