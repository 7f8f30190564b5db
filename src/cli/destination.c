#include "cli/destination.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/local_server.h"

enum { LOCAL_SIZE = 512, WHY_SIZE = 128 };

#define NO_ADDRESS "\"%s\" is not an address: %s; wanted http://HOST:PORT"

/* A server that listens on every address is met on the loopback. */
static const char *host_to_meet(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

/* The URL of the server of this machine; its socket, too, if it has one.  False after a
 * complaint. */
static bool local_find(struct destination *destination, char url[LOCAL_SIZE])
{
    struct address address;

    if (!local_server_find(destination->is_for_health, &address))
        return false;
    const char *host = host_to_meet(address.host);
    bool is_v6 = strchr(host, ':') != NULL;
    memcpy(destination->socket, address.path, sizeof destination->socket);
    if (*address.path)
        snprintf(url, LOCAL_SIZE, "http://localhost");
    else
        snprintf(url, LOCAL_SIZE, "http://%s%s%s:%s", is_v6 ? "[" : "", host,
                 is_v6 ? "]" : "", address.port);
    return true;
}

/* name or name=value, escaped, behind what the query has. */
static bool query_add(CURLU *url, const char *option)
{
    size_t name_len = strcspn(option, "=");
    bool has_value = option[name_len] == '=';
    char *name = curl_easy_escape(NULL, option, (int)name_len);
    char *value = curl_easy_escape(NULL, has_value ? option + name_len + 1 : "", 0);
    size_t size = (name ? strlen(name) : 0) + (value ? strlen(value) : 0) + 2;
    char *pair = malloc(size);
    bool ok = false;

    if (name && value && pair) {
        snprintf(pair, size, "%s%s%s", name, has_value ? "=" : "", value);
        ok = curl_url_set(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY) == CURLUE_OK;
    }
    curl_free(name);
    curl_free(value);
    free(pair);
    return ok;
}

static bool path_add(CURLU *url, const char *path)
{
    char *given = NULL;
    bool has_path = curl_url_get(url, CURLUPART_PATH, &given, 0) == CURLUE_OK &&
                    strcmp(given, "/") != 0;

    curl_free(given);
    return has_path || curl_url_set(url, CURLUPART_PATH, path, 0) == CURLUE_OK;
}

static bool parts_add(CURLU *url, const struct destination *destination)
{
    bool ok = path_add(url, destination->path);

    for (size_t i = 0; ok && i < destination->option_count; i++)
        ok = query_add(url, destination->options[i]);
    return ok || complain("no memory for the address");
}

/* Takes the text apart.  False, and `why`, for what is no address of a service. */
static bool text_read(CURLU *url, const char *text, char why[WHY_SIZE])
{
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME);
    char *scheme = NULL;

    if (code != CURLUE_OK) {
        snprintf(why, WHY_SIZE, "%s", curl_url_strerror(code));
        return false;
    }
    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    bool is_http = scheme && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
    snprintf(why, WHY_SIZE, "its scheme is %s", scheme ? scheme : "none");
    curl_free(scheme);
    return is_http;
}

/* Where the environment is wrong no server is ready; else it is as wrong as a command that
 * says the same. */
static int environment_status(const struct destination *destination)
{
    return destination->is_for_health ? EXIT_BAD : EXIT_USAGE;
}

static int complain_of_text(const struct destination *destination, const char *text,
                            const char *why)
{
    if (destination->given)
        return complain_of_usage(destination->command, NO_ADDRESS, text, why);
    complain(NO_ADDRESS, text, why);
    return environment_status(destination);
}

int destination_find(struct destination *destination)
{
    char local[LOCAL_SIZE], why[WHY_SIZE];
    const char *text = destination->given ? destination->given : local;
    int status = EXIT_BAD;

    if (!destination->given && !local_find(destination, local))
        return environment_status(destination);
    CURLU *url = curl_url();
    if (!url)
        complain("no memory for the address");
    else if (!text_read(url, text, why))
        status = complain_of_text(destination, text, why);
    else if (parts_add(url, destination) &&
             curl_url_get(url, CURLUPART_URL, &destination->url, 0) == CURLUE_OK)
        status = EXIT_GOOD;
    curl_url_cleanup(url);
    return status;
}

void destination_free(struct destination *destination)
{
    curl_free(destination->url);
}

const char *destination_name(const struct destination *destination, char *room,
                             size_t size)
{
    if (!*destination->socket)
        return destination->url;
    snprintf(room, size, "unix:%s", destination->socket);
    return room;
}
