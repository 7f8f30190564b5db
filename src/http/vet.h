/* Is this header block sound?  And what in it is for us?
 *
 * The HTTP library lets through what must not pass: two lengths, a length beside
 * chunks, codings it does not know, names it has corrupted.  A proxy in front
 * may read such a request as two, or as another one. */
#ifndef LOSSD_HTTP_VET_H
#define LOSSD_HTTP_VET_H

#include <stdbool.h>

#include "lossd/api/api.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

/* Headers that are lists. */
enum vet_list { VET_ACCEPT, VET_IF_NONE_MATCH, VET_LISTS };

struct vetting {
    struct request *head; /* filled with what was found */
    struct err *err; /* BAD_HEADER, TOO_LARGE, EXPECTATION_FAILED, UNSUPPORTED_ENCODING:
                        it is refused */
    struct buf joined[VET_LISTS];
    struct span user_agent;
    bool chunked;
    bool expects_continue; /* the client waits for a go-ahead before its body */
    unsigned hosts, lengths, codings; /* how many of each header */
    struct span block;                /* empty: it is not looked at */
    size_t seen;  /* bytes of it up to the end of the last thing that was shown to us */
    bool bare_lf; /* a line before a header has ended in LF alone */
};

/* Begins; `head` and `err` are the caller's, and so is `room`, which must live as long as
 * the head: lists that several headers tell are joined there. */
enum { VET_LIST_MAX = 256, VET_ROOM = VET_LISTS * VET_LIST_MAX };
struct vetting vet_begin(struct request *head, char room[VET_ROOM], struct err *err);

/* What the first line asks for. */
void vet_method(struct vetting *vetting, struct span method);

/* The text from the method to the end of the headers, as the library leaves it: line ends
 * are NULs, and `version` is within it.  May be given before the first header. */
void vet_block(struct vetting *vetting, struct span block, struct span version);

/* The next header.  Its text must live as long as the head. */
void vet_header(struct vetting *vetting, struct span name, struct span value);

/* All headers have been seen.  False, with `err` filled: refuse the request and
 * close, since nobody knows where it ends. */
bool vet_end(struct vetting *vetting, struct span version);

#endif
