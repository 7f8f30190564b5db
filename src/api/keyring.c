/* Keys lie in the file as they are sent, so that a mounted secret is enough to set one
 * up; whoever can read the file can read the process too.
 *
 * Comparing in constant time needs no hash: each key is padded with zeros to the same
 * size, and what is offered is held against every byte of every key, its length
 * included, with no way out before the last.  The time depends on the number of keys
 * alone. */
#include "lossd/api/keyring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lossd/base/line_file.h"

enum { KEY_MIN = 16, KEY_SIZE = 256, KEYS_MAX = 256 };

struct key {
    size_t len;
    unsigned char text[KEY_SIZE]; /* zeros behind it */
};

struct keys {
    size_t count;
    struct key key[KEYS_MAX];
};

struct keyring {
    pthread_rwlock_t lock; /* of `keys` */
    struct keys *keys;
    char path[];
};

static void keys_free(struct keys *keys)
{
    if (keys)
        explicit_bzero(keys, sizeof *keys);
    free(keys);
}

/* ---- the file ----------------------------------------------------------------- */

static bool fail_line(const struct line *line, struct err *err, const char *why)
{
    return fail(err, ERR_INTERNAL, NULL, "%s:%zu: %s", line->path, line->number, why);
}

static bool add_key(void *ctx, const struct line *line, struct err *err)
{
    struct keys *keys = ctx;
    struct span text = line->text;

    for (size_t i = 0; i < text.len; i++) {
        if (span_is_blank(text.at[i], " \t\r"))
            return fail_line(line, err,
                             "there is a blank in the key; wanted one key a line");
        if (text.at[i] < ' ' || text.at[i] > '~')
            return fail_line(line, err,
                             "the key has a character that is not printable ASCII");
    }
    if (text.len < KEY_MIN)
        return fail_line(line, err,
                         "the key is too short; wanted at least 16 characters");
    if (text.len >= KEY_SIZE)
        return fail_line(line, err, "the key is too long; wanted at most 255 characters");
    if (keys->count == KEYS_MAX)
        return fail_line(line, err, "there are too many keys; wanted at most 256");
    struct key *key = &keys->key[keys->count++];
    key->len = text.len;
    memcpy(key->text, text.at, text.len);
    return true;
}

static struct keys *keys_read(const char *path, struct err *err)
{
    struct keys *keys = calloc(1, sizeof *keys);

    if (!keys) {
        fail(err, ERR_INTERNAL, NULL, "there is no memory for keys");
        return NULL;
    }
    if (line_file_read(path, add_key, keys, err) &&
        (keys->count > 0 ||
         fail(err, ERR_INTERNAL, NULL, "%s has no key; wanted one key a line", path)))
        return keys;
    keys_free(keys);
    return NULL;
}

/* ---- the ring ----------------------------------------------------------------- */

struct keyring *keyring_new(const char *path, struct err *err)
{
    struct keys *keys = keys_read(path, err);
    size_t size = strlen(path) + 1;
    struct keyring *keyring = keys ? malloc(sizeof *keyring + size) : NULL;

    if (!keyring) {
        if (keys)
            fail(err, ERR_INTERNAL, NULL, "there is no memory for keys");
        keys_free(keys);
        return NULL;
    }
    pthread_rwlock_init(&keyring->lock, NULL);
    keyring->keys = keys;
    memcpy(keyring->path, path, size);
    return keyring;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    keys_free(keyring->keys);
    pthread_rwlock_destroy(&keyring->lock);
    free(keyring);
}

bool keyring_reload(struct keyring *keyring, struct err *err)
{
    struct keys *keys = keys_read(keyring->path, err);

    if (!keys)
        return false;
    pthread_rwlock_wrlock(&keyring->lock);
    struct keys *old = keyring->keys;
    keyring->keys = keys;
    pthread_rwlock_unlock(&keyring->lock);
    keys_free(old);
    return true;
}

size_t keyring_count(struct keyring *keyring)
{
    pthread_rwlock_rdlock(&keyring->lock);
    size_t count = keyring->keys->count;
    pthread_rwlock_unlock(&keyring->lock);
    return count;
}

/* Nothing can be concluded from it at compile time. */
static size_t opaque(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static bool is_among(const struct keys *keys, struct span offered)
{
    unsigned char padded[KEY_SIZE] = {0};
    size_t found = 0;

    /* what is longer than any key differs in its length */
    memcpy(padded, offered.at, offered.len < KEY_SIZE ? offered.len : KEY_SIZE);
    for (size_t i = 0; i < keys->count; i++) {
        const struct key *key = &keys->key[i];
        size_t differs = key->len ^ offered.len;
        for (size_t at = 0; at < KEY_SIZE; at++)
            differs |= (size_t)(key->text[at] ^ padded[at]);
        found |= (size_t)(opaque(differs) == 0);
    }
    return found != 0;
}

/* "Bearer KEY": the key.  Empty when it is of another form. */
static struct span bearer_of(struct span authorization)
{
    static const char scheme[] = "Bearer ";
    size_t len = sizeof scheme - 1;

    authorization = span_trim(authorization, " \t"); /* which are not of the value */
    if (authorization.len < len || strncasecmp(authorization.at, scheme, len) != 0)
        return (struct span){NULL, 0};
    while (len < authorization.len && authorization.at[len] == ' ')
        len++;
    return (struct span){authorization.at + len, authorization.len - len};
}

bool keyring_opens(struct keyring *keyring, struct span authorization, struct err *err)
{
    struct span offered = bearer_of(authorization);

    if (authorization.len == 0)
        return fail(err, ERR_UNAUTHORIZED, NULL,
                    "there is no Authorization header; wanted Authorization: Bearer and "
                    "one of this server's keys");
    if (offered.len == 0)
        return fail(err, ERR_UNAUTHORIZED, NULL,
                    "Authorization is not of the form Bearer and a key");
    pthread_rwlock_rdlock(&keyring->lock);
    bool opens = is_among(keyring->keys, offered);
    pthread_rwlock_unlock(&keyring->lock);
    return opens || fail(err, ERR_UNAUTHORIZED, NULL,
                         "the key in Authorization is not one of this server's");
}
