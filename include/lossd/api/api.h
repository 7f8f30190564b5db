/* The API: a request becomes a response, without any socket.
 *
 * The server, the tests, the fuzzer and the benchmark all enter here:
 *
 *     exchange_init(&exchange, api, budget);
 *     api_route(&exchange);                    the headers are in
 *     api_feed(&exchange, piece);              the body, piece by piece
 *     api_answer(&exchange, pool, &response);  the body is in
 *     exchange_release(&exchange);             the response has been sent
 *
 * After api_route() or api_feed() refused, api_answer() tells why.  Exactly one
 * thread may touch an exchange at any time; an api may be shared by all. */
#ifndef LOSSD_API_API_H
#define LOSSD_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/pool.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"
#include "lossd/obs/metrics.h"

struct api;
struct codec;
struct coding;
struct decoder;
struct inflater;
struct keyring;
struct route;

/* A ceiling or other setting that GET /v1/limits shows. */
struct api_limit {
    const char *name; /* "max_body" */
    const char *flag; /* "--max-body" */
    double value;     /* a whole number, or seconds */
    const char *unit; /* "bytes", "seconds"; NULL: it is a count */
    const char *help;
};

struct api_settings {
    struct limits limits;
    size_t max_body;               /* bytes of a request body, compressed or not, */
    size_t max_dataset;            /* and of one that is read in constant memory */
    uint64_t max_ratio;            /* its text for each byte, compressed; 0: any */
    size_t max_request_memory;     /* bytes one request may hold; what raises that: */
    const char *memory_flag;       /* NULL: "--max-request-memory" */
    size_t small_body;             /* requests up to this are favoured with memory */
    bool server_timing;            /* send Server-Timing */
    struct keyring *keys;          /* of those who may ask; NULL: everybody may */
    const char *cors_origin;       /* whose pages may ask; "*": all, NULL or "": none */
    const struct api_limit *shown; /* for GET /v1/limits */
    size_t shown_count;
    const char *version; /* "1.0.0" */
    const char *commit;
    const char *compiler;
    const char *http_library; /* "libmicrohttpd 0.9.75" */
    struct meter *meter;      /* for GET /metrics, and to count what is scored; or NULL */
};

/* NULL: no memory.  All that the settings point to must outlive the api.  api_free()
 * accepts NULL. */
struct api *api_new(const struct api_settings *settings);
void api_free(struct api *api);

/* Is it a setting for cors_origin?  False with `err` filled. */
bool api_check_origin(const char *origin, struct err *err);

/* While draining, readiness is 503; everything else is answered as before. */
void api_set_draining(struct api *api, bool draining);

/* The head of a request.  Spans that are empty were not sent. */
struct request {
    struct span method;
    struct span target; /* "/v1/loss?reduction=sum", as it was sent */
    struct span content_type;
    struct span content_encoding;
    struct span accept;
    struct span if_none_match;
    struct span request_id; /* X-Request-ID */
    struct span traceparent;
    struct span timeout; /* X-Request-Timeout, seconds */
    struct span authorization;
    struct span origin;
    struct span access_control_request_method;
    struct span inference_header_length; /* Inference-Header-Content-Length */
    bool has_content_length;
    uint64_t content_length;
};

enum stage {
    STAGE_RECEIVE,
    STAGE_PARSE,
    STAGE_QUEUE,
    STAGE_COMPUTE,
    STAGE_ENCODE,
    STAGES
};

enum { REQUEST_ID_SIZE = 129, TIMING_SIZE = 208 };

/* What a request says of its answer, whatever the answer is. */
struct wishes {
    bool pretty;
    int64_t timeout_ns; /* for which it will wait for a thread, each time; 0: not said */
};

/* What an address of the Open Inference Protocol names. */
struct model {
    const char *name;
    const struct task *task;
    const struct loss *loss; /* NULL: it has none */
    size_t index;            /* among all models */
};

struct exchange {
    struct api *api;
    struct arena mem;
    bool health_only; /* by the owner too: everything else is not found here */
    /* By the owner too, before an answer: when to come back if it is ERR_OVERLOADED. */
    unsigned retry_after_s;
    struct request head; /* filled by the owner before api_route() */
    const struct route *route;
    struct model model;          /* all NULL where the address has no such */
    const struct codec *codec;   /* of the body */
    const struct coding *coding; /* NULL: the body is not compressed */
    const struct codec *writer;  /* of the answer */
    struct decoder *decoder;
    struct inflater *inflater; /* NULL when there is no coding */
    struct wishes wishes;
    bool refused; /* err says why */
    bool inference_counted;
    bool from_page;      /* of another origin, whose pages may read the answer */
    bool preflight;      /* a browser asks whether it may ask */
    uint64_t body_bytes; /* received so far */
    size_t rows;         /* scored; 0 until they are */
    int64_t began_ns;
    int64_t stage_ns[STAGES];
    /* From here on large, and cleared when there is something to put there. */
    struct err err;
    struct batch batch; /* its positions and classes are 0 until known */
    struct result result;
    char request_id[REQUEST_ID_SIZE]; /* the sender's, or one of ours */
    char trace_id[33];                /* "" when there is none */
    char timing[TIMING_SIZE];         /* the text of Server-Timing */
    char retry_after[12];             /* the text of Retry-After */
    char text_length[24];             /* the text of Inference-Header-Content-Length */
};

enum { RESPONSE_HEADERS = 12 };

struct response {
    unsigned status;
    struct {
        const char *name;
        const char *value;
    } header[RESPONSE_HEADERS]; /* Content-Type is among them */
    size_t headers;
    struct span body; /* the whole body, when `fill` is NULL */
    /* Otherwise the body in pieces: at most `capacity` (>= 256) bytes into
     * `out`; returns how many, 0 at the end.  The pool (NULL: none) helps with
     * large ones. */
    size_t (*fill)(void *ctx, struct pool *pool, char *out, size_t capacity);
    void *ctx;
};

/* Begins an exchange: an empty arena under the api's limit and the budget
 * (NULL: none).  `exchange->head` is to be filled next; its spans must live
 * until exchange_release(). */
void exchange_init(struct exchange *exchange, struct api *api, struct budget *budget);

/* The head is in: who answers?  Checks key, method, path, query, media types and
 * declared length, reserves memory, and begins to decode.  False when refused. */
bool api_route(struct exchange *exchange);

/* The next piece of the body.  False: refused; more of it is not wanted. */
bool api_feed(struct exchange *exchange, struct span piece);

/* What a request with so many bytes of body will cost about, all of it, in nanoseconds
 * of one core: for what is known of it by its head, or by what has come of a body that
 * is compressed.  0 when nothing is computed. */
int64_t api_expected_ns(const struct exchange *exchange, uint64_t bytes);

/* True when the body is compressed: a short piece of it may take long to read, and is not
 * to be read where others wait. */
bool api_is_compressed(const struct exchange *exchange);

/* What the answer will cost about, in nanoseconds of one core; valid once the
 * body is in.  For deciding whether to answer here or on the pool. */
int64_t api_cost_ns(const struct exchange *exchange);

/* How many numbers the arrays of the body have; valid once it is in. */
size_t api_elements(struct exchange *exchange);

/* True for a request whose body is known to be no larger than settings.small_body. */
bool api_is_small(const struct exchange *exchange);

/* Answers.  Cannot fail: an error becomes a problem document.  The response
 * points into the exchange. */
void api_answer(struct exchange *exchange, struct pool *pool, struct response *response);

/* Answers with an error found by the caller (a header, a deadline, the budget). */
void api_refuse(struct exchange *exchange, struct response *response);

/* Gives back all memory. */
void exchange_release(struct exchange *exchange);

/* Fills in the values of the labels that this layer knows: routes, stages, losses,
 * problems. */
void api_labels(struct metric_labels *labels);

/* The part of a request target before the question mark. */
struct span query_path(struct span target);

/* The route's path for log lines and metrics, "(none)" for NULL; and the index of
 * that among the values of LABEL_route. */
const char *route_name(const struct route *route);
size_t route_index(const struct route *route);

/* True for health probes, which are not logged. */
bool route_is_probe(const struct route *route);

/* The stable code of an error, "label_out_of_range", and its HTTP status. */
const char *problem_code(enum err_kind kind);
unsigned problem_status(enum err_kind kind);

/* The index of the code among the values of LABEL_problem.  `kind` is an error. */
size_t problem_index(enum err_kind kind);

#endif
