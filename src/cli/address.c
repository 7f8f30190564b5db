/* Without an address, the server is looked for where its own environment puts it:
 * LOSSD_HOST, and LOSSD_PORT or else PORT.  So the health check of an image goes on
 * working when the port is changed.  A variable that says something else than a port
 * (Kubernetes puts LOSSD_PORT=tcp://... beside a Service of that name) is passed
 * over, as the server does. */
#include "cli/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complain.h"

enum { LOCAL_SIZE = 512 };

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && text[digits] == '\0';
}

static const char *local_port(void)
{
    const char *own = getenv("LOSSD_PORT");
    const char *platform = getenv("PORT");

    if (own && is_port(own))
        return own;
    return platform && is_port(platform) ? platform : "8080";
}

/* A server that listens on every address is met on the loopback. */
static const char *local_host(void)
{
    const char *host = getenv("LOSSD_HOST");

    if (!host || *host == '\0' || strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static void local_address(char out[LOCAL_SIZE])
{
    const char *host = local_host();
    bool is_v6 = strchr(host, ':') != NULL;

    snprintf(out, LOCAL_SIZE, "http://%s%s%s:%s", is_v6 ? "[" : "", host,
             is_v6 ? "]" : "", local_port());
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

static bool parts_add(CURLU *url, const struct address *address)
{
    bool ok = path_add(url, address->path);

    for (size_t i = 0; ok && i < address->option_count; i++)
        ok = query_add(url, address->options[i]);
    return ok || complain("no memory for the address");
}

char *address_url(const struct address *address)
{
    char local[LOCAL_SIZE];
    const char *given = address->given ? address->given : local;
    CURLU *url = curl_url();
    char *text = NULL;

    local_address(local);
    CURLUcode code = curl_url_set(url, CURLUPART_URL, given, CURLU_GUESS_SCHEME);
    if (!url)
        complain("no memory for the address");
    else if (code != CURLUE_OK)
        complain("\"%s\" is not an address: %s; wanted http://HOST:PORT", given,
                 curl_url_strerror(code));
    else if (parts_add(url, address))
        curl_url_get(url, CURLUPART_URL, &text, 0);
    curl_url_cleanup(url);
    return text;
}

void address_free(char *url)
{
    curl_free(url);
}
