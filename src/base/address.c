#include "lossd/base/address.h"

#include <string.h>

static bool fail_address(struct span text, struct err *err)
{
    return fail(err, ERR_INVALID_OPTION, NULL,
                "the address to listen on is \"%.*s\"; a port, host:port, [::1]:port, "
                "unix:/path or unix:@name is wanted",
                text.len > 128 ? 128 : (int)text.len, text.at);
}

static bool copy(struct span text, size_t size, char *out)
{
    if (text.len == 0 || text.len >= size)
        return false;
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return true;
}

static bool is_port(struct span text)
{
    unsigned port = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.at[i] - '0');
        if (port > 65535)
            return false;
    }
    return text.len > 0;
}

static const char *last_colon(struct span text)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.at[i - 1] == ':')
            return text.at + i - 1;
    return NULL;
}

bool address_read(struct span text, struct address *out, struct err *err)
{
    static const char unix_prefix[] = "unix:";
    size_t skip = sizeof unix_prefix - 1;

    memset(out, 0, sizeof *out);
    if (text.len > skip && memcmp(text.at, unix_prefix, skip) == 0) {
        struct span path = {text.at + skip, text.len - skip};
        bool named = path.len > 1 && (path.at[0] == '/' || path.at[0] == '@');
        return (named && copy(path, sizeof out->path, out->path)) ||
               fail_address(text, err);
    }
    const char *colon = last_colon(text);
    struct span host =
        colon ? (struct span){text.at, (size_t)(colon - text.at)} : span_of("127.0.0.1");
    struct span port = colon ? (struct span){colon + 1, text.len - host.len - 1} : text;
    bool bracketed = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    if (bracketed)
        host = (struct span){host.at + 1, host.len - 2};
    else if (memchr(host.at, ':', host.len) || memchr(host.at, '[', host.len))
        return fail_address(text, err);
    return (is_port(port) && copy(port, sizeof out->port, out->port) &&
            copy(host, sizeof out->host, out->host)) ||
           fail_address(text, err);
}

bool address_next(struct span *rest, struct span *out)
{
    while (rest->len > 0 && *rest->at == ',') {
        rest->at++;
        rest->len--;
    }
    const char *comma = rest->len ? memchr(rest->at, ',', rest->len) : NULL;
    *out = (struct span){rest->at, comma ? (size_t)(comma - rest->at) : rest->len};
    rest->at += out->len;
    rest->len -= out->len;
    return out->len > 0;
}
