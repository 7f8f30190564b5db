/* The pages for a browser and the contract for programs, from the running service: that
 * nothing follows a 304, and what others who know the formats say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "service.h"
#include "wire.h"

static struct service service;

static int open_service(void **state)
{
    (void)state;
    return service_start(&service, NULL) ? 0 : -1;
}

static int close_service(void **state)
{
    (void)state;
    return service_stop(&service);
}

static void ask(struct wire *wire, const char *method, const char *known, const char *end)
{
    char request[400];

    snprintf(request, sizeof request,
             "%s /openapi.json HTTP/1.1\r\nHost: here\r\nIf-None-Match: %s\r\n%s\r\n",
             method, known, end);
    assert_true(wire_text(wire, request));
}

/* Were there a body, the next answer would begin with it. */
static void page__that_is_known_is_not_sent(void **state)
{
    struct answer answer;
    struct wire wire;
    char etag[300], size[300];

    (void)state;
    assert_true(wire_open(&wire, service.port));
    ask(&wire, "GET", "\"other\"", "");
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(answer_header(&answer, "ETag", etag));
    assert_true(answer_header(&answer, "Content-Length", size));
    assert_int_equal(answer.body_length, strtoul(size, NULL, 10));
    assert_in_range(answer.body_length, 1000, 100000);
    answer_release(&answer);
    for (int i = 0; i < 2; i++) {
        ask(&wire, i == 0 ? "GET" : "HEAD", etag, i == 0 ? "" : "Connection: close\r\n");
        assert_true(wire_answer(&wire, true, &answer));
        assert_int_equal(answer.status, 304);
        answer_release(&answer);
    }
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

/* Python with these modules judges by a script, which is given the service's address. */
static void judge(const char *modules, const char *script)
{
    char command[4096];

    snprintf(command, sizeof command, "python3 -c 'import %s' 2>/dev/null", modules);
    if (system(command) != 0) { /* NOLINT: a constant */
        print_message("skipped: there is no python3 with %s\n", modules);
        skip();
    }
    snprintf(command, sizeof command, "python3 -W ignore -c '%s' http://127.0.0.1:%u",
             script, service.port);
    int status = system(command); /* NOLINT: a constant */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void openapi__is_valid(void **state)
{
    (void)state;
    judge(
        "openapi_spec_validator",
        "import json, sys, urllib.request\n"
        "from openapi_spec_validator import validate\n"
        "validate(json.load(urllib.request.urlopen(sys.argv[1] + \"/openapi.json\")))\n");
}

/* Requests, replies and problems are what their schemas say. */
static void openapi__describes_what_is_said(void **state)
{
    (void)state;
    judge("jsonschema",
          "import json, sys, urllib.request, urllib.error\n"
          "from jsonschema import Draft202012Validator as Validator\n"
          "def ask(path, body=None):\n"
          "    try:\n"
          "        reply = urllib.request.urlopen(sys.argv[1] + path, body)\n"
          "    except urllib.error.HTTPError as error:\n"
          "        reply = error\n"
          "    return json.load(reply)\n"
          "document = ask(\"/openapi.json\")\n"
          "def schema(name):\n"
          "    return Validator({\"$ref\": \"#/components/schemas/\" + name,\n"
          "                      \"components\": document[\"components\"]})\n"
          "outputs = "
          "document[\"components\"][\"schemas\"][\"return\"][\"items\"][\"enum\"]\n"
          "good = [{\"logits\": [1, \"-Infinity\", 2], \"labels\": 0, "
          "\"sample_weights\": 2},\n"
          "        {\"logits\": [[1, 2], [3, 4]], \"labels\": [0, -100],\n"
          "         \"reduction\": \"none\"},\n"
          "        {\"logits\": [[0.5, 0.5]], \"targets\": [[1, 0]], \"id\": \"a\"},\n"
          "        {\"features\": [[1, 2], [3, 4]], \"W\": [[1, 0], [0, 1]], \"b\": [0, "
          "0],\n"
          "         \"labels\": [0, 1], \"return\": outputs}]\n"
          "for batch in good:\n"
          "    schema(\"loss_request\").validate(batch)\n"
          "    schema(\"loss_answer\").validate(\n"
          "        ask(\"/v1/loss\", json.dumps(batch).encode()))\n"
          "bad = [{\"logits\": [1]}, {\"labels\": 0}, {\"logits\": [], \"labels\": 0},\n"
          "       {\"logits\": [1], \"labels\": 0, \"temperature\": 0},\n"
          "       {\"logits\": [1], \"labels\": 0, \"label\": 0},\n"
          "       {\"logits\": [1], \"labels\": 0, \"targets\": [1]},\n"
          "       {\"logits\": [1], \"labels\": 0.5},\n"
          "       {\"logits\": [1], \"labels\": 0, \"loss\": \"none\"}]\n"
          "for batch in bad:\n"
          "    assert not schema(\"loss_request\").is_valid(batch), batch\n"
          "    schema(\"problem\").validate(ask(\"/v1/loss\", "
          "json.dumps(batch).encode()))\n"
          "for path, methods in document[\"paths\"].items():\n"
          "    content = methods.get(\"get\", {}).get(\"responses\", {})\n"
          "    content = content.get(\"200\", {}).get(\"content\", {})\n"
          "    if \"application/json\" in content:\n"
          "        Validator({**content[\"application/json\"][\"schema\"],\n"
          "                   \"components\": "
          "document[\"components\"]}).validate(\n"
          "                       ask(path.format(model=\"nll\", version=1)))\n"
          "tensors = {\"inputs\": [{\"name\": \"logits\", \"datatype\": \"FP32\",\n"
          "                       \"shape\": [1, 2], \"data\": [[1, 2]]}],\n"
          "           \"outputs\": [{\"name\": \"predictions\"}]}\n"
          "schema(\"inference_request\").validate(tensors)\n"
          "schema(\"inference_answer\").validate(\n"
          "    ask(\"/v2/models/softmax/infer\", json.dumps(tensors).encode()))\n");
}

/* Or a browser would show a page without life, and say why to nobody. */
static void pages__are_allowed_by_their_policies(void **state)
{
    (void)state;
    judge("hashlib",
          "import base64, hashlib, re, sys, urllib.request\n"
          "for path in (\"/\", \"/docs\"):\n"
          "    request = urllib.request.Request(sys.argv[1] + path,\n"
          "                                     headers={\"Accept\": \"text/html\"})\n"
          "    reply = urllib.request.urlopen(request)\n"
          "    policy = reply.headers[\"Content-Security-Policy\"]\n"
          "    text = reply.read().decode()\n"
          "    for name in (\"style\", \"script\"):\n"
          "        found = re.findall(f\"<{name}>(.*?)</{name}>\", text, re.S)\n"
          "        assert len(found) == 1, found\n"
          "        digest = hashlib.sha256(found[0].encode()).digest()\n"
          "        source = base64.b64encode(digest).decode()\n"
          "        assert f\"sha256-{source}\" in policy, (path, name, policy)\n"
          "    assert not re.search(r\"(src|href)=.(https?:)?//\", text), path\n"
          "    assert not re.search(r\"@(style|script)@| style=| on[a-z]+=\", text), "
          "path\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__that_is_known_is_not_sent),
        cmocka_unit_test(openapi__is_valid),
        cmocka_unit_test(openapi__describes_what_is_said),
        cmocka_unit_test(pages__are_allowed_by_their_policies),
    };

    return cmocka_run_group_tests(tests, open_service, close_service);
}
