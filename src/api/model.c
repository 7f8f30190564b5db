#include "api/model.h"

#include "api/path.h"
#include "api/route.h"
#include "lossd/base/excerpt.h"
#include "lossd/engine/loss.h"

enum { NAMES_MAX = 256 };

const char *const model_names[MODELS + 1] = {"softmax",
#define LOSS(name) #name,
#include "lossd/engine/losses.def"
#undef LOSS
                                             NULL};

struct model model_at(size_t index)
{
    if (index == 0)
        return (struct model){model_names[0], &task_softmax, NULL, 0};
    return (struct model){model_names[index], &task_loss, loss_table[index - 1], index};
}

static bool fail_model(struct span name, struct err *err)
{
    char names[NAMES_MAX];
    struct buf list;

    buf_over(&list, names, sizeof names - 1);
    for (size_t i = 0; i < MODELS; i++) {
        buf_text(&list, i > 0 ? ", " : "");
        buf_text(&list, model_names[i]);
    }
    names[list.len] = '\0';
    return fail(err, ERR_UNKNOWN_MODEL, NULL, "there is no model %s; one of %s is wanted",
                excerpt_of(name).text, names);
}

static bool check_version(struct span version, const char *name, struct err *err)
{
    return version.len == 0 || path_segment_is(version, MODEL_VERSION) ||
           fail(err, ERR_UNKNOWN_MODEL, NULL,
                "the model %s has no version %s; " MODEL_VERSION " is the only one", name,
                excerpt_of(version).text);
}

bool model_choose(struct exchange *exchange)
{
    struct span path = query_path(exchange->head.target);
    const char *pattern = exchange->route->path;
    struct span name = path_segment(path, pattern, "model");

    if (name.len == 0)
        return true;
    for (size_t i = 0; i < MODELS; i++) {
        exchange->model = model_at(i);
        if (path_segment_is(name, exchange->model.name))
            return check_version(path_segment(path, pattern, "version"),
                                 exchange->model.name, &exchange->err);
    }
    exchange->model = (struct model){.name = NULL};
    return fail_model(name, &exchange->err);
}

void model_set_loss(struct exchange *exchange)
{
    const struct model *model = &exchange->model;
    enum member member;

    if (!model->loss)
        return;
    if (batch_has(&exchange->batch, MEMBER_loss)) {
        fail(&exchange->err, ERR_CONFLICTING_MEMBERS, "/loss",
             "loss is given in the address, but the model %s says which it is",
             model->name);
        return;
    }
    struct value name = {
        .type = VALUE_TEXT, .text = span_of(model->name), .kind = "a string"};
    batch_begin(&exchange->batch, span_of("loss"), true, &exchange->mem, &member,
                &exchange->err);
    batch_set(&exchange->batch, member, name, &exchange->err);
}
