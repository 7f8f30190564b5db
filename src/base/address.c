#include "lossd/base/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
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

/* A name, or the numbers of an address: no quotes, which who writes a file may take for its
 * syntax. */
static bool is_host(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && c < 0x80 && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

/* Perhaps with a zone: "fe80::1%eth0". */
static bool is_v6(struct span text)
{
    char numbers[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *zone = text.len ? memchr(text.at, '%', text.len) : NULL;

    if (zone && zone + 1 == text.at + text.len)
        return false;
    if (zone)
        text.len = (size_t)(zone - text.at);
    return copy(text, sizeof numbers, numbers) &&
           inet_pton(AF_INET6, numbers, bytes) == 1;
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
    return ((is_host(host) || (bracketed && is_v6(host))) && is_port(port) &&
            copy(port, sizeof out->port, out->port) &&
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

/* A host that is written in numbers. */
struct numbers {
    int family; /* 0: it is a name */
    unsigned char bytes[sizeof(struct in6_addr)];
};

static struct numbers numbers_of(const char *host)
{
    struct numbers numbers = {0};

    if (inet_pton(AF_INET, host, numbers.bytes) == 1)
        numbers.family = AF_INET;
    else if (inet_pton(AF_INET6, host, numbers.bytes) == 1)
        numbers.family = AF_INET6;
    return numbers;
}

/* 0.0.0.0 takes in all of its family, and :: those of both. */
static bool takes_in(const struct numbers *host, const struct numbers *other)
{
    static const unsigned char zeros[sizeof host->bytes];

    return host->family != 0 && memcmp(host->bytes, zeros, sizeof zeros) == 0 &&
           (host->family == AF_INET6 || other->family == AF_INET);
}

static bool hosts_clash(const char *a, const char *b)
{
    struct numbers of_a = numbers_of(a), of_b = numbers_of(b);

    return strcmp(a, b) == 0 || takes_in(&of_a, &of_b) || takes_in(&of_b, &of_a) ||
           (of_a.family != 0 && memcmp(&of_a, &of_b, sizeof of_a) == 0);
}

/* Port 0 is another one each time. */
static bool clash(const struct address *a, const struct address *b)
{
    long port = strtol(a->port, NULL, 10);

    if (*a->path || *b->path)
        return strcmp(a->path, b->path) == 0;
    return port != 0 && port == strtol(b->port, NULL, 10) &&
           hosts_clash(a->host, b->host);
}

/* Is it apart from those in `before`? */
static bool check_apart(struct span text, struct span before, struct err *err)
{
    struct address address, other;
    struct err passed_over = {0};
    struct span at;

    if (!address_read(text, &address, &passed_over))
        return true;
    while (address_next(&before, &at))
        if (address_read(at, &other, &passed_over) && clash(&address, &other))
            return fail(err, ERR_INVALID_OPTION, NULL,
                        "cannot listen on %.*s: %.*s, which is asked for too, takes that "
                        "address",
                        (int)text.len, text.at, (int)at.len, at.at);
    return true;
}

bool addresses_check_apart(const char *list, struct err *err)
{
    struct span rest = span_of(list), text;

    while (address_next(&rest, &text))
        if (!check_apart(text, (struct span){list, (size_t)(text.at - list)}, err))
            return false;
    return true;
}
