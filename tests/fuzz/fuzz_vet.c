/* Any header block into the vetter.
 *
 * The input is lines: the version, then "name:value" each; a backslash takes what is
 * special from the byte behind it.  The verdict must be that of the rules as they are
 * written down here once more, over the whole block instead of header by header; what
 * passed must have been read as it stands; and the order of headers must not matter. */
#include <string.h>
#include <strings.h>

#include "http/vet.h"
#include "target.h"

enum { HEADERS_MAX = 64 };

struct header {
    struct span name, value; /* each in memory of its size */
};

struct block {
    struct span version;
    struct header header[HEADERS_MAX];
    size_t count;
};

/* --- the input --- */

static char *exact(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    require(copy != NULL, "there is memory");
    memcpy(copy, bytes, len);
    return copy;
}

/* Takes what comes before `end` or the end of the line off the text; says which. */
static struct span next_word(struct span *rest, char end, char *ended_by)
{
    char *word = malloc(rest->len + 1);
    size_t len = 0, at = 0;

    require(word != NULL, "there is memory");
    *ended_by = '\n';
    while (at < rest->len) {
        char c = rest->at[at++];
        if (c == end || c == '\n') {
            *ended_by = c;
            break;
        }
        if (c == '\\' && at < rest->len)
            c = rest->at[at++];
        word[len++] = c;
    }
    *rest = (struct span){rest->at + at, rest->len - at};
    struct span taken = {exact(word, len), len};
    free(word);
    return taken;
}

static void read_block(struct span text, struct block *block)
{
    char ended_by;

    block->version = next_word(&text, '\n', &ended_by);
    block->count = 0;
    while (text.len > 0 && block->count < HEADERS_MAX) {
        struct header *header = &block->header[block->count++];
        header->name = next_word(&text, ':', &ended_by);
        header->value = ended_by == ':' ? next_word(&text, '\n', &ended_by)
                                        : (struct span){exact("", 0), 0};
    }
}

static void free_block(struct block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        free((char *)(uintptr_t)block->header[i].name.at);
        free((char *)(uintptr_t)block->header[i].value.at);
    }
    free((char *)(uintptr_t)block->version.at);
}

/* --- the rules once more --- */

static bool same(struct span text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static bool consists_of(struct span text, const char *characters)
{
    size_t i = 0;

    while (i < text.len && text.at[i] != '\0' && strchr(characters, text.at[i]))
        i++;
    return i == text.len;
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && (*text.at == ' ' || *text.at == '\t'))
        text = (struct span){text.at + 1, text.len - 1};
    while (text.len > 0 && strchr(" \t", text.at[text.len - 1]) && text.at[text.len - 1])
        text.len--;
    return text;
}

/* How often a header is there, and its first value. */
static size_t count(const struct block *block, const char *name, struct span *first)
{
    size_t n = 0;

    *first = (struct span){NULL, 0};
    for (size_t i = 0; i < block->count; i++)
        if (same(block->header[i].name, name) && n++ == 0)
            *first = block->header[i].value;
    return n;
}

static bool is_glued(struct span name)
{
    return (name.len > 14 && strncasecmp(name.at, "Content-Length", 14) == 0) ||
           (name.len > 17 && strncasecmp(name.at, "Transfer-Encoding", 17) == 0);
}

static bool lines_are_sound(const struct block *block)
{
    const char *token = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < block->count; i++) {
        struct span name = block->header[i].name, value = block->header[i].value;
        if (name.len == 0 || !consists_of(name, token) || is_glued(name))
            return false;
        for (size_t j = 0; j < value.len; j++)
            if (((unsigned char)value.at[j] < ' ' && value.at[j] != '\t') ||
                value.at[j] == 0x7F)
                return false;
    }
    return true;
}

/* Digits for less than 2^63; too many of them is the one thing that is too large. */
static bool length_is_sound(struct span digits, bool *too_large)
{
    const char *most = "9223372036854775807";

    *too_large = false;
    if (digits.len == 0 || !consists_of(digits, "0123456789"))
        return false;
    while (digits.len > 0 && *digits.at == '0')
        digits = (struct span){digits.at + 1, digits.len - 1};
    *too_large = digits.len > strlen(most) ||
                 (digits.len == strlen(most) && memcmp(digits.at, most, 19) > 0);
    return !*too_large;
}

/* How many expectations are there, and how many of them can be met? */
static size_t expectations(const struct block *block, size_t *met)
{
    size_t count = 0;

    *met = 0;
    for (size_t i = 0; i < block->count; i++) {
        bool is_one = same(block->header[i].name, "expect");
        count += is_one;
        *met += is_one && same(trimmed(block->header[i].value), "100-continue");
    }
    return count;
}

/* The values of all headers of that name, told as one list. */
static size_t joined(const struct block *block, const char *name, char *out)
{
    size_t n = 0, len = 0;

    for (size_t i = 0; i < block->count; i++) {
        struct span value = trimmed(block->header[i].value);
        if (!same(block->header[i].name, name))
            continue;
        if (n++ > 0)
            len += (size_t)sprintf(out + len, ", ");
        memcpy(out + len, value.at, value.len);
        len += value.len;
    }
    return len;
}

static bool list_is_sound(const struct block *block, const char *name)
{
    static char room[1 << 16];
    struct span first;

    return count(block, name, &first) < 2 || joined(block, name, room) <= VET_LIST_MAX;
}

static bool says_one_thing(const struct block *block, const char *name)
{
    struct span first;

    count(block, name, &first);
    for (size_t i = 0; i < block->count; i++)
        if (same(block->header[i].name, name) &&
            !span_equal(trimmed(block->header[i].value), trimmed(first)))
            return false;
    return true;
}

/* Headers of which two that differ have a request mean two things. */
static bool says_all_things_once(const struct block *block)
{
    static const char *const names[] = {"content-type",
                                        "x-request-timeout",
                                        "authorization",
                                        "origin",
                                        "access-control-request-method",
                                        "inference-header-content-length"};
    bool sound = true;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        sound &= says_one_thing(block, names[i]);
    return sound;
}

static bool hosts_are_sound(const struct block *block)
{
    static const char of_hosts[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-._~%!$&'()*+,;=:[]";

    for (size_t i = 0; i < block->count; i++) {
        struct span value = trimmed(block->header[i].value);
        for (size_t j = 0; same(block->header[i].name, "host") && j < value.len; j++)
            if (!memchr(of_hosts, value.at[j], sizeof of_hosts - 1))
                return false;
    }
    return true;
}

static bool block_is_sound(const struct block *block)
{
    struct span first;
    bool modern = span_is(block->version, "HTTP/1.1"), too_large;
    size_t hosts = count(block, "host", &first);
    size_t codings = count(block, "transfer-encoding", &first), met;

    if (expectations(block, &met) > met || !hosts_are_sound(block))
        return false;
    if (codings > 0 && (!modern || !same(first, "chunked")))
        return false;
    if (count(block, "content-encoding", &first) > 1 || !list_is_sound(block, "accept") ||
        !list_is_sound(block, "if-none-match") || !says_all_things_once(block))
        return false;
    size_t lengths = count(block, "content-length", &first);
    if (lengths > 0 && !length_is_sound(first, &too_large))
        return false;
    return lines_are_sound(block) && codings + lengths <= 1 && hosts <= 1 &&
           (modern ? hosts == 1 : span_is(block->version, "HTTP/1.0"));
}

static bool has_too_large(const struct block *block)
{
    bool found = false, too_large = false;

    for (size_t i = 0; i < block->count && !found; i++)
        if (same(block->header[i].name, "content-length"))
            found = !length_is_sound(block->header[i].value, &too_large) && too_large;
    return found;
}

/* --- what was read --- */

static void require_first(const struct block *block, const char *name, struct span kept)
{
    struct span first;

    count(block, name, &first);
    first = trimmed(first);
    require(kept.at == first.at && kept.len == first.len, "the first value is kept");
}

static void require_list(const struct block *block, const char *name, struct span kept)
{
    static char room[1 << 16];
    size_t len = joined(block, name, room);

    require(kept.len == len && (len == 0 || memcmp(kept.at, room, len) == 0),
            "the lists are one");
}

static void require_read(const struct block *block, const struct vetting *vetting)
{
    const struct request *head = vetting->head;
    struct span first;
    char digits[32];

    require_first(block, "Content-Type", head->content_type);
    require_first(block, "Content-Encoding", head->content_encoding);
    require_list(block, "Accept", head->accept);
    require_list(block, "If-None-Match", head->if_none_match);
    require_first(block, "X-Request-ID", head->request_id);
    require_first(block, "traceparent", head->traceparent);
    require_first(block, "X-Request-Timeout", head->timeout);
    require_first(block, "Authorization", head->authorization);
    require_first(block, "Origin", head->origin);
    require_first(block, "Access-Control-Request-Method",
                  head->access_control_request_method);
    require_first(block, "Inference-Header-Content-Length",
                  head->inference_header_length);
    require_first(block, "User-Agent", vetting->user_agent);
    require(vetting->chunked == (count(block, "transfer-encoding", &first) > 0),
            "chunks where it says so");
    require(head->has_content_length == (count(block, "content-length", &first) > 0),
            "a length where it says so");
    if (head->has_content_length) {
        int len = snprintf(digits, sizeof digits, "%llu",
                           (unsigned long long)head->content_length);
        require((size_t)len <= first.len || head->content_length == 0, "no more digits");
        require(head->content_length == 0 ? consists_of(first, "0")
                                          : memcmp(first.at + first.len - (size_t)len,
                                                   digits, (size_t)len) == 0,
                "the same length");
    }
    size_t met, all = expectations(block, &met);
    require(all == met, "only what can be met");
    require(vetting->expects_continue == (met > 0), "every expectation counts");
}

static bool vet(const struct block *block, bool backwards)
{
    struct request head = {0};
    struct err err = {0};
    char room[VET_ROOM];
    struct vetting vetting = vet_begin(&head, room, &err);

    for (size_t i = 0; i < block->count; i++) {
        size_t at = backwards ? block->count - 1 - i : i;
        vet_header(&vetting, block->header[at].name, block->header[at].value);
    }
    struct span first;
    size_t met, expected = expectations(block, &met);
    bool sound = vet_end(&vetting, block->version);
    require(sound == (err.kind == ERR_NONE),
            "an error for what is refused, and no other");
    require(sound || err.detail[0] != '\0', "it says why");
    require(sound || err.kind == ERR_BAD_HEADER ||
                (err.kind == ERR_TOO_LARGE && has_too_large(block)) ||
                (err.kind == ERR_EXPECTATION_FAILED && expected > met) ||
                (err.kind == ERR_UNSUPPORTED_ENCODING &&
                 count(block, "content-encoding", &first) > 1),
            "an error of its own");
    if (sound && !backwards)
        require_read(block, &vetting);
    return sound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block block;

    read_block((struct span){(const char *)data, size}, &block);
    bool sound = block_is_sound(&block);
    require(vet(&block, false) == sound, "the rules decide");
    require(vet(&block, true) == sound, "the order is no matter");
    free_block(&block);
    return 0;
}
