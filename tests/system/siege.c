#include "siege.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "scrape.h"

const struct slowness slow_headers = {"GET /livez HTTP/1.1\r\n", 1, "A: b\r\n", "header"};

const struct slowness slow_bodies = {"POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Length: 4096\r\n\r\n",
                                     1, " ", "body"};

const struct slowness slow_readers = {"GET /v1/losses HTTP/1.1\r\nHost: x\r\n\r\n", 2000,
                                      NULL, "write"};

/* Never waits: what cannot be sent now is not. */
static void send_now(const struct wire *wire, const char *bytes, size_t count)
{
    send(wire->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool siege_begin(struct siege *siege, const struct slowness *slowness, unsigned port,
                 size_t count)
{
    bool good = count <= BESIEGERS_MAX;

    siege->slowness = slowness;
    siege->drips = 0;
    for (siege->count = 0; siege->count < count && good; siege->count++) {
        struct wire *wire = &siege->wires[siege->count];
        good = wire_open(wire, port);
        for (unsigned n = 0; n < slowness->openings && good; n++)
            send_now(wire, slowness->opening, strlen(slowness->opening));
    }
    return good;
}

void siege_go_on(struct siege *siege)
{
    const char *drip = siege->slowness->drip;
    size_t at = siege->drips++ % (drip ? strlen(drip) : 1);
    char byte;

    for (size_t i = 0; i < siege->count; i++)
        if (!drip)
            recv(siege->wires[i].fd, &byte, 1, MSG_DONTWAIT);
        else if (recv(siege->wires[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
            send_now(&siege->wires[i], drip + at, 1);
}

void siege_end(struct siege *siege)
{
    for (size_t i = 0; i < siege->count; i++)
        wire_close(&siege->wires[i]);
    siege->count = 0;
}

double siege_reaped(const struct slowness *slowness, unsigned port)
{
    char series[100], why[WHY_SIZE];
    struct scrape scrape;
    double value = -1;

    snprintf(series, sizeof series, "lossd_reaped_connections_total{reason=\"%s\"}",
             slowness->reaped);
    if (scrape_service(&scrape, port, false, why))
        value = scrape_value(&scrape, series);
    scrape_release(&scrape);
    return value;
}
