#include "conformance.h"

#include <stdlib.h>

static const char usual[] = "../shared/conformance";

const char *conformance_folder(void)
{
    const char *folder = getenv("LOSSD_CONFORMANCE");

    return folder && folder[0] ? folder : usual;
}
