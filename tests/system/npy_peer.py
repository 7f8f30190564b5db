"""Asks the service at argv[1] with numpy's own files, and reads its files with numpy.

Every type, byte order, memory layout and version has to get the answer that JSON gets,
to the bit.  Exit status 77: there is no numpy.
"""
import io
import itertools
import json
import sys
import urllib.request

try:
    import numpy as np
except ImportError:
    sys.exit(77)

NPY = "application/x-npy"
TYPES = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split()
SHAPES = [(4,), (3, 5), (37, 65), (2, 3, 4), (3, 1, 2, 5), (2, 1, 2, 1, 2, 1, 2, 3)]


def ask(target, body, content_type, accept):
    headers = {"Content-Type": content_type, "Accept": accept}
    request = urllib.request.Request(sys.argv[1] + target, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as answer:
        assert answer.headers["Content-Type"] == accept, answer.headers
        return answer.read()


def file_of(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version, allow_pickle=False)
    return out.getvalue()


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def read(body, dtype):
    array = np.load(io.BytesIO(body), allow_pickle=False)
    assert array.dtype == np.dtype(dtype), (array.dtype, dtype)
    return array


def check(array, version, dtype):
    """Softmax of the file is that of the same numbers as JSON, in both formats."""
    numbers = array.astype(int) if array.dtype == bool else array
    document = json.dumps({"logits": numbers.tolist(), "dtype": dtype}).encode()
    target = "/v1/softmax?dtype=" + dtype
    wanted = ask(target, document, "application/json", "application/json")
    body = file_of(array, version)
    assert ask(target, body, NPY, "application/json") == wanted
    got = read(ask(target, body, NPY, NPY), dtype)
    assert same(got, np.array(json.loads(wanted)["probabilities"], dtype))


def check_inputs():
    random = np.random.default_rng(7)
    for name, shape in itertools.product(TYPES, SHAPES):
        numbers = random.normal(scale=20, size=shape)
        if name[0] == "u":
            numbers = np.abs(numbers)
        if name in ("i8", "u8"):  # beyond what a float64 has, but near each other
            numbers = numbers * 1000 + 2.0**60
        plain = (numbers > 0) if name == "b1" else numbers.astype(name)
        for order, layout in itertools.product("<>", "CF"):
            array = np.array(plain, plain.dtype.newbyteorder(order), order=layout)
            version = [(1, 0), (2, 0), (3, 0)][random.integers(3)]
            for dtype in ("float64", "float32"):
                check(array, version, dtype)


def check_outputs():
    random = np.random.default_rng(8)
    logits, labels = random.normal(size=(50, 9)), random.integers(9, size=50)
    wide = ["losses", "probabilities", "log_probabilities", "logsumexp", "gradient"]
    for dtype, name in itertools.product(
        ("float64", "float32"), wide + ["predictions", "confusion"]
    ):
        document = {"logits": logits.tolist(), "labels": labels.tolist(), "dtype": dtype}
        target, body = "/v1/loss?return=" + name, json.dumps(document).encode()
        wanted = json.loads(ask(target, body, "application/json", "application/json"))
        kind = dtype if name in wide else "int64"
        got = read(ask(target, body, "application/json", NPY), kind)
        assert same(got, np.array(wanted[name], kind)), name


def check_large():
    """Sent and answered in many pieces."""
    logits = np.random.default_rng(9).normal(size=(2000, 300))
    for array in (logits, np.asfortranarray(logits)):
        got = read(ask("/v1/softmax", file_of(array), NPY, NPY), "float64")
        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(got, exps / exps.sum(axis=1, keepdims=True), 1e-13)


check_inputs()
check_outputs()
check_large()
