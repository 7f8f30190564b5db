/* TABLE: requests and their replies, as the document shows them. */
#include "api/openapi/openapi_examples.h"

const struct openapi_example openapi_examples[] = {
    {&task_loss, "two_examples", "the mean over two examples of three classes",
     "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}",
     "{\"loss\":0.3185397696491856,\"probabilities\":[[0.659001138885968,"
     "0.2424329707047139,0.09856589040931817],[0.10860373030701237,0.8024790557916494,"
     "0.08891721390133829]],\"loss_sum\":0.6370795392983712,\"divisor\":2,\"count\":2,"
     "\"ignored\":0}"},
    {&task_loss, "one_example", "the loss of one example, and the class that wins",
     "{\"logits\":[1,2,3],\"labels\":2,\"return\":[\"loss\",\"predictions\"]}",
     "{\"loss\":0.40760596444438035,\"predictions\":2,\"loss_sum\":0.40760596444438035,"
     "\"divisor\":1,\"count\":1,\"ignored\":0}"},
    {&task_softmax, "float32", "probabilities alone, as float32",
     "{\"logits\":[1,2,3],\"dtype\":\"float32\"}",
     "{\"probabilities\":[0.09003057,0.24472848,0.66524094]}"},
};

const size_t openapi_example_count = sizeof openapi_examples / sizeof *openapi_examples;
