/* The format `application/x-npy`: one array, the logits, in and one out.  What a file
 * says of itself is npy_header.c's, what its numbers are npy_type.c's; here is how they
 * arrive.  Options are all in the address. */
#include "lossd/codec/codec.h"
#include "npy_header.h"
#include "npy_numbers.h"
#include "npy_write.h"

enum {
    MAGIC_SIZE = 6,
    VERSION_END = 8,   /* of major and minor */
    PREFIX_MAX = 12,   /* with the length of the header */
    HEADER_MAX = 10000 /* as numpy has it */
};

struct decoder {
    struct batch *batch;
    struct arena *mem;
    unsigned char prefix[PREFIX_MAX];
    size_t prefix_len;
    char *text; /* of the header, NULL until its length is known */
    size_t text_size, text_len;
    bool in_data; /* the header has been read */
    struct npy_header header;
    bool skips;      /* the shape is wrong: the data are counted, no more */
    size_t expected; /* bytes of data */
    size_t seen;
    struct npy_numbers numbers;
};

static struct decoder *npy_begin(struct batch *batch, struct arena *mem, struct err *err)
{
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);
    enum member member;

    if (!d)
        return NULL;
    d->batch = batch;
    d->mem = mem;
    if (!batch_begin(batch, span_of("logits"), false, mem, &member, err))
        return NULL;
    struct array *logits = batch_array(batch, member);
    *logits = (struct array){.element = batch->dtype == DTYPE_FLOAT32 ? ELEMENT_FLOAT32
                                                                      : ELEMENT_FLOAT64};
    npy_numbers_begin(&d->numbers, &d->header, logits, mem);
    return d;
}

/* Up to `most` bytes from the front of the piece. */
static struct span take(struct span *piece, size_t most)
{
    struct span front = {piece->at, piece->len < most ? piece->len : most};

    *piece = (struct span){piece->at + front.len, piece->len - front.len};
    return front;
}

/* --- the prefix --- */

static size_t prefix_size(const struct decoder *d)
{
    return d->prefix_len < VERSION_END  ? VERSION_END
           : d->prefix[MAGIC_SIZE] == 1 ? 10
                                        : 12;
}

static bool check_magic(const struct decoder *d, struct err *err)
{
    static const unsigned char magic[] = "\x93NUMPY";
    size_t len = d->prefix_len < MAGIC_SIZE ? d->prefix_len : MAGIC_SIZE;

    return memcmp(d->prefix, magic, len) == 0 ||
           fail(err, ERR_BAD_TENSOR, NULL,
                "the body does not begin with \\x93NUMPY, as an NPY file does");
}

static bool check_version(const struct decoder *d, struct err *err)
{
    unsigned major = d->prefix[MAGIC_SIZE], minor = d->prefix[MAGIC_SIZE + 1];

    return (major >= 1 && major <= 3 && minor == 0) ||
           fail(
               err, ERR_BAD_TENSOR, NULL,
               "the version of the NPY file is %u.%u; 1.0, 2.0 or 3.0 is wanted (curl -d "
               "drops bytes of a file, --data-binary does not)",
               major, minor);
}

static bool begin_header(struct decoder *d, struct err *err)
{
    size_t size = 0;

    for (size_t i = d->prefix_len; i > VERSION_END; i--)
        size = size << 8 | d->prefix[i - 1];
    if (size > HEADER_MAX)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the NPY header has %zu bytes; at most %d are wanted", size,
                    HEADER_MAX);
    d->text_size = size;
    d->text = arena_alloc(d->mem, size, 1, err);
    return d->text != NULL;
}

static bool feed_prefix(struct decoder *d, struct span *piece, struct err *err)
{
    struct span part = take(piece, prefix_size(d) - d->prefix_len);

    memcpy(d->prefix + d->prefix_len, part.at, part.len);
    d->prefix_len += part.len;
    if (!check_magic(d, err))
        return false;
    if (d->prefix_len < VERSION_END)
        return true;
    if (!check_version(d, err))
        return false;
    return d->prefix_len < prefix_size(d) || begin_header(d, err);
}

/* --- the header --- */

static bool fail_count(const struct decoder *d, struct err *err)
{
    size_t most = d->batch->limits->max_elements;

    return fail_limit(err, "/logits", most, "--max-elements",
                      "logits has more than %zu numbers", most);
}

static void check_rank(struct decoder *d, struct err *err)
{
    d->skips = d->header.rank == 0 || d->header.rank > RANK_MAX;
    if (d->header.rank == 0)
        fail(err, ERR_WRONG_TYPE, "/logits",
             "logits is a number, of shape (); an array of numbers is wanted");
    else if (d->skips)
        fail(err, ERR_SHAPE_MISMATCH, "/logits",
             "logits has rank %u; a rank of at most %d is wanted", d->header.rank,
             RANK_MAX);
}

static bool begin_data(struct decoder *d, struct err *err)
{
    if (!npy_header_read((struct span){d->text, d->text_len}, &d->header, err))
        return false;
    if (d->header.count > d->batch->limits->max_elements ||
        d->header.count > SIZE_MAX / (2 * NPY_NUMBER_MAX))
        return fail_count(d, err);
    check_rank(d, err);
    d->expected = d->header.count * d->header.type->size;
    d->in_data = true;
    return true;
}

static bool feed_header(struct decoder *d, struct span *piece, struct err *err)
{
    struct span part = take(piece, d->text_size - d->text_len);

    memcpy(d->text + d->text_len, part.at, part.len);
    d->text_len += part.len;
    return d->text_len < d->text_size || begin_data(d, err);
}

static bool feed_data(struct decoder *d, struct span *piece, struct err *err)
{
    struct span data = take(piece, d->expected - d->seen);

    d->seen += data.len;
    return d->skips || npy_numbers_feed(&d->numbers, data, err);
}

static bool npy_feed(struct decoder *d, struct span piece, struct err *err)
{
    while (piece.len > 0) {
        if (d->in_data && d->seen >= d->expected) {
            d->seen += piece.len; /* to say how many there are */
            return true;
        }
        if (!(d->in_data ? feed_data
              : d->text  ? feed_header
                         : feed_prefix)(d, &piece, err))
            return false;
    }
    return true;
}

/* --- the end --- */

static bool fail_size(const struct decoder *d, enum err_kind kind, struct err *err)
{
    return fail(err, kind, NULL,
                "%zu bytes follow the NPY header; its %zu numbers of type %s have %zu%s",
                d->seen, d->header.count, d->header.type->name, d->expected,
                d->seen < d->expected
                    ? " (curl -d drops bytes of a file, --data-binary does not)"
                    : "");
}

static bool fail_short(const struct decoder *d, struct err *err)
{
    size_t bytes = d->prefix_len + d->text_len;

    if (bytes == 0)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the body is empty; an NPY file is wanted");
    if (!d->in_data)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the body ends after %zu bytes, before the NPY header does", bytes);
    return fail_size(d, ERR_BAD_TENSOR, err);
}

static bool npy_finish(struct decoder *d, struct err *err)
{
    if (!d->in_data || d->seen < d->expected)
        return fail_short(d, err);
    if (d->seen > d->expected)
        return fail_size(d, ERR_TRAILING_DATA, err);
    return d->skips || npy_numbers_end(&d->numbers, err);
}

static const char *const npy_media_types[] = {"application/x-npy", NULL};

static const struct task *const npy_tasks[] = {&task_loss, &task_softmax, NULL};

extern const struct codec codec_npy;
const struct codec codec_npy = {.tasks = npy_tasks,
                                .media_types = npy_media_types,
                                .begin = npy_begin,
                                .feed = npy_feed,
                                .finish = npy_finish,
                                .answers_as = "application/x-npy",
                                .can_encode = npy_can_write,
                                .encode = npy_write};
