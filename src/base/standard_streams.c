#include "lossd/base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

/* What is opened can only be used the other way round. */
void standard_streams_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
