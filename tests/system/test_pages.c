/* The pages for a browser and the contract for programs, from the running service: that
 * nothing follows a 304, and what others who know the formats say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Python with these modules judges by a script, which is given the service's address.
 * Debian's own comes first: that is the one its packages are for. */
static void judge(const char *modules, const char *script)
{
    static const char *const pythons[] = {"/usr/bin/python3", "python3"};
    char command[8192];
    size_t i = 0;

    for (; i < sizeof pythons / sizeof *pythons; i++) {
        snprintf(command, sizeof command, "%s -c 'import %s' 2>/dev/null", pythons[i],
                 modules);
        if (system(command) == 0) /* NOLINT: a constant */
            break;
    }
    if (i == sizeof pythons / sizeof *pythons) {
        print_message("skipped: there is no python3 with %s\n", modules);
        skip();
    }
    snprintf(command, sizeof command, "%s -W ignore -c '%s' http://127.0.0.1:%u",
             pythons[i], script, service.port);
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

/* The hash of a text as a policy has it, by the programs that made it for the build. */
static void hash_of(const char *text, size_t len, char out[64])
{
    char file[] = "/tmp/lossd-page-XXXXXX", command[200];
    int fd = mkstemp(file);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    snprintf(command, sizeof command,
             "sha256sum <%s | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64",
             file);
    FILE *hash = popen(command, "r"); /* NOLINT: a name of our own */
    assert_non_null(hash);
    assert_non_null(fgets(out, 64, hash));
    assert_int_equal(pclose(hash), 0);
    unlink(file);
    out[strcspn(out, "\n")] = '\0';
}

/* There is one such element, and the policy names its hash. */
static void assert_allowed(const char *policy, const char *page, const char *name)
{
    char open[16], close[16], hash[64], wanted[100];

    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    const char *from = strstr(page, open), *to = from ? strstr(from, close) : NULL;
    assert_non_null(to);
    from += strlen(open);
    assert_null(strstr(from, open));
    hash_of(from, (size_t)(to - from), hash);
    snprintf(wanted, sizeof wanted, "%s-src 'sha256-%s'", name, hash);
    if (!strstr(policy, wanted))
        fail_msg("%s is not in %s", wanted, policy);
}

/* Or a browser would show a page without life, and say why to nobody. */
static void pages__are_allowed_by_their_policies(void **state)
{
    static const char *const paths[] = {"/", "/docs"};
    regex_t foreign;

    (void)state;
    assert_int_equal(
        regcomp(&foreign, "(src|href)=.(https?:)?//|@(style|script)@| style=| on[a-z]+=",
                REG_EXTENDED | REG_NOSUB),
        0);
    for (size_t i = 0; i < 2; i++) {
        char request[200], policy[300];
        struct answer answer;
        struct wire wire;
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: here\r\nAccept: text/html\r\n\r\n", paths[i]);
        assert_true(wire_open(&wire, service.port));
        assert_true(wire_text(&wire, request));
        assert_true(wire_answer(&wire, false, &answer));
        assert_int_equal(answer.status, 200);
        assert_true(answer_header(&answer, "Content-Security-Policy", policy));
        assert_allowed(policy, answer.body, "style");
        assert_allowed(policy, answer.body, "script");
        assert_int_equal(regexec(&foreign, answer.body, 0, NULL, 0), REG_NOMATCH);
        answer_release(&answer);
        wire_close(&wire);
    }
    regfree(&foreign);
}

/* What points at an element finds it: links within a page, labels, names, the script.
 * A landmark has a name of its own, and no heading skips a level. */
static void pages__hold_together(void **state)
{
    (void)state;
    judge("html.parser",
          "import re, sys, urllib.request\n"
          "from html.parser import HTMLParser\n"
          "class Page(HTMLParser):\n"
          "    def __init__(self, text):\n"
          "        super().__init__()\n"
          "        self.ids, self.wanted, self.names, self.level = [], [], [], 0\n"
          "        self.feed(text)\n"
          "        self.wanted += re.findall(r\"byId\\(.([a-z-]+).\\)\", text)\n"
          "    def handle_starttag(self, tag, attributes):\n"
          "        has = dict(attributes)\n"
          "        name = has.get(\"aria-labelledby\")\n"
          "        self.ids += [has[\"id\"]] if \"id\" in has else []\n"
          "        self.wanted += [has[key] for key in (\"for\", \"aria-describedby\")\n"
          "                        if key in has] + ([name] if name else [])\n"
          "        if has.get(\"href\", \"\").startswith(\"#\"):\n"
          "            self.wanted.append(has[\"href\"][1:])\n"
          "        if name and (tag == \"section\" or has.get(\"role\") == \"region\"):\n"
          "            self.names.append(name)\n"
          "        if re.fullmatch(\"h[1-6]\", tag):\n"
          "            assert int(tag[1]) <= self.level + 1, has\n"
          "            self.level = int(tag[1])\n"
          "for path in \"/\", \"/docs\":\n"
          "    asked = urllib.request.Request(sys.argv[1] + path,\n"
          "                                   headers={\"Accept\": \"text/html\"})\n"
          "    page = Page(urllib.request.urlopen(asked).read().decode())\n"
          "    assert len(page.wanted) > 20, path\n"
          "    assert len(set(page.ids)) == len(page.ids), page.ids\n"
          "    assert len(set(page.names)) == len(page.names), page.names\n"
          "    assert set(page.wanted) <= set(page.ids), set(page.wanted) - "
          "set(page.ids)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__that_is_known_is_not_sent),
        cmocka_unit_test(openapi__is_valid),
        cmocka_unit_test(openapi__describes_what_is_said),
        cmocka_unit_test(pages__are_allowed_by_their_policies),
        cmocka_unit_test(pages__hold_together),
    };

    return cmocka_run_group_tests(tests, open_service, close_service);
}
