"""Posts a body that will be refused, again and again, and counts the answers:

    refused.py PORT TARGET BYTES STATUS TRIES

The body is sent whole before the answer is looked for, as http.client does.  Prints how
many answers had the status."""

import http.client
import sys

port, target, size, status, tries = int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
body = b"{" + b"x" * (size - 1)
delivered = 0
for _ in range(tries):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", target, body)
        response = connection.getresponse()
        delivered += response.status == status and b'"code"' in response.read()
    except OSError as error:
        print(error, file=sys.stderr)
    finally:
        connection.close()
print(delivered)
