#include "codec/npy/npy_read.h"

#include <stdio.h>

#include "lossd/engine/place.h"

enum {
    MAGIC_SIZE = 6,
    VERSION_END = 8,   /* of major and minor */
    HEADER_MAX = 10000 /* as numpy has it */
};

void npy_read_begin(struct npy_reader *r, struct batch *batch, enum member member,
                    struct json_narrow *narrow, struct arena *mem)
{
    struct array *out = batch_array(batch, member);

    *r = (struct npy_reader){
        .limits = batch->limits,
        .mem = mem,
        .member = member,
        .what = "the body",
        .hint = " (curl -d drops bytes of a file, --data-binary does not)"};
    *out = (struct array){.element = batch_element(batch, member)};
    npy_numbers_begin(&r->numbers, member, &r->header, out, narrow, mem);
}

/* Up to `most` bytes from the front of the piece. */
static struct span take(struct span *piece, size_t most)
{
    struct span front = {piece->at, piece->len < most ? piece->len : most};

    *piece = (struct span){piece->at + front.len, piece->len - front.len};
    return front;
}

/* --- the prefix --- */

static size_t prefix_size(const struct npy_reader *r)
{
    return r->prefix_len < VERSION_END  ? VERSION_END
           : r->prefix[MAGIC_SIZE] == 1 ? 10
                                        : 12;
}

static bool check_magic(const struct npy_reader *r, struct err *err)
{
    static const unsigned char magic[] = "\x93NUMPY";
    size_t len = r->prefix_len < MAGIC_SIZE ? r->prefix_len : MAGIC_SIZE;

    return memcmp(r->prefix, magic, len) == 0 ||
           fail(err, ERR_BAD_TENSOR, NULL,
                "%s does not begin with \\x93NUMPY, as an NPY file does", r->what);
}

static bool check_version(const struct npy_reader *r, struct err *err)
{
    unsigned major = r->prefix[MAGIC_SIZE], minor = r->prefix[MAGIC_SIZE + 1];

    return (major >= 1 && major <= 3 && minor == 0) ||
           fail(err, ERR_BAD_TENSOR, NULL,
                "the version of the NPY file is %u.%u; 1.0, 2.0 or 3.0 is wanted%s",
                major, minor, r->hint);
}

static bool begin_header(struct npy_reader *r, struct err *err)
{
    size_t size = 0;

    for (size_t i = r->prefix_len; i > VERSION_END; i--)
        size = size << 8 | r->prefix[i - 1];
    if (size > HEADER_MAX)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the NPY header has %zu bytes; at most %d are wanted", size,
                    HEADER_MAX);
    r->text_size = size;
    r->text = arena_alloc(r->mem, size, 1, err);
    return r->text != NULL;
}

static bool feed_prefix(struct npy_reader *r, struct span *piece, struct err *err)
{
    struct span part = take(piece, prefix_size(r) - r->prefix_len);

    memcpy(r->prefix + r->prefix_len, part.at, part.len);
    r->prefix_len += part.len;
    if (!check_magic(r, err))
        return false;
    if (r->prefix_len < VERSION_END)
        return true;
    if (!check_version(r, err))
        return false;
    return r->prefix_len < prefix_size(r) || begin_header(r, err);
}

/* --- the header --- */

static bool fail_count(const struct npy_reader *r, struct err *err)
{
    const char *name = member_infos[r->member].name;
    size_t most = r->limits->max_elements;
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return fail_limit(err, ERR_TOO_LARGE, pointer, most, "--max-elements",
                      "%s has more than %zu numbers", name, most);
}

static void check_rank(struct npy_reader *r, struct err *err)
{
    const char *name = member_infos[r->member].name;
    bool is_bare = r->header.rank == 0;
    char pointer[PLACE_SIZE];

    r->skips = r->header.rank > RANK_MAX || (is_bare && !member_may_be_bare(r->member));
    if (!r->skips)
        return;
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (is_bare)
        fail(err, ERR_WRONG_TYPE, pointer,
             "%s is a number, of shape (); an array of numbers is wanted", name);
    else
        fail(err, ERR_SHAPE_MISMATCH, pointer,
             "%s has rank %u; a rank of at most %d is wanted", name, r->header.rank,
             RANK_MAX);
}

static bool begin_data(struct npy_reader *r, struct err *err)
{
    if (!npy_header_read((struct span){r->text, r->text_len}, &r->header, err))
        return false;
    if (r->header.count > r->limits->max_elements ||
        r->header.count > SIZE_MAX / (2 * NPY_NUMBER_MAX))
        return fail_count(r, err);
    check_rank(r, err);
    r->expected = r->header.count * r->header.type->size;
    r->in_data = true;
    return true;
}

static bool feed_header(struct npy_reader *r, struct span *piece, struct err *err)
{
    struct span part = take(piece, r->text_size - r->text_len);

    memcpy(r->text + r->text_len, part.at, part.len);
    r->text_len += part.len;
    return r->text_len < r->text_size || begin_data(r, err);
}

static bool feed_data(struct npy_reader *r, struct span *piece, struct err *err)
{
    struct span data = take(piece, r->expected - r->seen);

    r->seen += data.len;
    return r->skips || npy_numbers_feed(&r->numbers, data, err);
}

bool npy_read(struct npy_reader *r, struct span piece, struct err *err)
{
    while (piece.len > 0) {
        if (r->in_data && r->seen >= r->expected) {
            r->seen += piece.len; /* to say how many there are */
            return true;
        }
        if (!(r->in_data ? feed_data
              : r->text  ? feed_header
                         : feed_prefix)(r, &piece, err))
            return false;
    }
    return true;
}

/* --- the end --- */

static bool fail_size(const struct npy_reader *r, enum err_kind kind, struct err *err)
{
    return fail(err, kind, NULL,
                "%zu bytes follow the NPY header; its %zu numbers of type %s have %zu%s",
                r->seen, r->header.count, r->header.type->name, r->expected,
                r->seen < r->expected ? r->hint : "");
}

static bool fail_short(const struct npy_reader *r, struct err *err)
{
    size_t bytes = r->prefix_len + r->text_len;

    if (bytes == 0)
        return fail(err, ERR_BAD_TENSOR, NULL, "%s is empty; an NPY file is wanted",
                    r->what);
    if (!r->in_data)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "%s ends after %zu bytes, before the NPY header does", r->what,
                    bytes);
    return fail_size(r, ERR_BAD_TENSOR, err);
}

bool npy_read_end(struct npy_reader *r, struct err *err)
{
    if (!r->in_data || r->seen < r->expected)
        return fail_short(r, err);
    if (r->seen > r->expected)
        return fail_size(r, ERR_TRAILING_DATA, err);
    return r->skips || npy_numbers_end(&r->numbers, err);
}
