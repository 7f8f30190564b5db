#include "batch_text.h"

#include <stdio.h>
#include <stdlib.h>

char *batch_text(size_t rows)
{
    char *text = malloc(rows * 24 + 100), *end = text;

    if (!text)
        abort();
    end += sprintf(end, "{\"logits\":[");
    for (size_t i = 0; i < rows; i++)
        end += sprintf(end, "%s[0,1,2,3,4,5,6,7,8,9]", i ? "," : "");
    sprintf(end, "]}");
    return text;
}
