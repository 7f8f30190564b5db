#!/usr/bin/env python3
"""The engine beside its other kernels, and beside NumPy, SciPy and PyTorch, whichever
of them are installed.

    peers.py BENCH_ENGINE [SECONDS]

Each contender is a process that takes one measurement for each line it is sent
("loss float32 1024 10") and answers with nanoseconds per logit; bench_engine --step
is one of them.  They are asked in turns, one at a time, one thread each, so ratios
hold on a noisy machine; the least of the rounds counts.  Results are written over
again (`out=`), as in the engine's own bench.  PyTorch runs as it chooses to and
once more forced to its AVX-512 code; the better of the two is the one to beat, so
many times over as WANTED says.
"""
import importlib.util
import os
import subprocess
import sys
import time

SHAPES = [(64, 10), (1024, 10), (1024, 1000), (256, 32000), (64, 128256)]
OPERATIONS = ["softmax", "loss", "loss+gradient", "log-softmax"]
OF_TARGETS = ["targets", "targets+gradient", "kl_div", "kl_div+gradient"]
# Times as fast as PyTorch in float32, one thread.
WANTED = {
    "softmax": {(1024, 10): 8, (1024, 1000): 1.4, (256, 32000): 1.1, (64, 128256): 1.1},
    "loss": {(1024, 10): 8, (1024, 1000): 1.7, (256, 32000): 2.4, (64, 128256): 2.4},
    "loss+gradient": {(1024, 10): 10, (1024, 1000): 2.8, (256, 32000): 2.6,
                      (64, 128256): 2.6},
}
SAMPLE_NS = 200000
ROUNDS_MAX = 15


# ---- what the peers do: a function without arguments for each operation ----------


def numbers(dtype, rows, classes):
    import numpy as np

    rng = np.random.default_rng(rows * classes)
    logits = rng.standard_normal((rows, classes), dtype=np.float32).astype(dtype)
    logits *= 3
    return logits, rng.integers(0, classes, rows)


def numpy_operations(dtype, rows, classes):
    import numpy as np

    x, labels = numbers(dtype, rows, classes)
    out, each = np.empty_like(x), np.arange(rows)

    def softmax():
        np.subtract(x, x.max(-1, keepdims=True), out=out)
        np.exp(out, out=out)
        total = out.sum(-1, keepdims=True)
        np.divide(out, total, out=out)
        return total

    def loss():
        top = x.max(-1, keepdims=True)
        np.subtract(x, top, out=out)
        np.exp(out, out=out)
        return (np.log(out.sum(-1)) + (top[:, 0] - x[each, labels])).mean()

    def loss_gradient():
        top = x.max(-1)
        total = softmax()
        out[each, labels] -= 1
        np.divide(out, rows, out=out)
        return (np.log(total[:, 0]) + (top - x[each, labels])).mean()

    def log_softmax():
        top = x.max(-1, keepdims=True)
        np.subtract(x, top, out=out)
        np.subtract(out, np.log(np.exp(out).sum(-1, keepdims=True)), out=out)

    return dict(zip(OPERATIONS, (softmax, loss, loss_gradient, log_softmax)))


def scipy_operations(dtype, rows, classes):
    import numpy as np
    import scipy.special as special

    x, labels = numbers(dtype, rows, classes)
    each = np.arange(rows)

    def loss():
        return (special.logsumexp(x, axis=-1) - x[each, labels]).mean()

    return {"softmax": lambda: special.softmax(x, axis=-1), "loss": loss,
            "log-softmax": lambda: special.log_softmax(x, axis=-1)}


def torch_operations(dtype, rows, classes):
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    aten = torch.ops.aten
    numpy_logits, numpy_labels = numbers(dtype, rows, classes)
    x, labels = torch.from_numpy(numpy_logits), torch.from_numpy(numpy_labels)
    out, mid, gradient = torch.empty_like(x), torch.empty_like(x), torch.empty_like(x)
    one = torch.ones((), dtype=x.dtype)

    def softmax():
        aten._softmax.out(x, -1, False, out=out)

    def log_softmax():
        aten._log_softmax.out(x, -1, False, out=out)

    def loss():
        log_softmax()
        return aten.nll_loss_forward(out, labels, None, 1, -100)

    def loss_gradient():
        _, weight = loss()
        aten.nll_loss_backward.grad_input(one, out, labels, None, 1, -100, weight,
                                          grad_input=mid)
        aten._log_softmax_backward_data.out(mid, out, -1, x.dtype, out=gradient)

    return dict(zip(OPERATIONS, (softmax, loss, loss_gradient, log_softmax)),
                **torch_operations_of_targets(torch, x))


def torch_operations_of_targets(torch, x):
    if x.numel() > 1 << 21:
        return {}
    functional = torch.nn.functional
    q = torch.softmax(torch.randn_like(x), -1)
    leaf = x.clone().requires_grad_(True)

    def targets(x):
        return functional.cross_entropy(x, q)

    def kl_div(x):
        return functional.kl_div(functional.log_softmax(x, -1), q, reduction="batchmean")

    def with_gradient(loss):
        with torch.enable_grad():
            torch.autograd.grad(loss(leaf), leaf)

    return {"targets": lambda: targets(x), "kl_div": lambda: kl_div(x),
            "targets+gradient": lambda: with_gradient(targets),
            "kl_div+gradient": lambda: with_gradient(kl_div)}


PEERS = {"numpy": numpy_operations, "scipy": scipy_operations,
         "torch": torch_operations}


# ---- a contender: the same conversation as bench_engine --step ---------------------


def measure(run, logits):
    start = time.perf_counter_ns()
    run()
    once = max(time.perf_counter_ns() - start, 1)
    repeats = 1 if once >= SAMPLE_NS else SAMPLE_NS // once + 1
    start = time.perf_counter_ns()
    for _ in range(repeats):
        run()
    return (time.perf_counter_ns() - start) / repeats / logits


def serve_steps(name):
    case, runs = None, {}
    for line in sys.stdin:
        operation, dtype, rows, classes = line.split()
        if case != (dtype, rows, classes):
            case, runs = (dtype, rows, classes), {}
            runs = PEERS[name](dtype, int(rows), int(classes))
        if operation in runs:
            print(measure(runs[operation], int(rows) * int(classes)), flush=True)
        else:
            print("nan", flush=True)


# ---- the race ----------------------------------------------------------------------


class Contender:
    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                 **environment})

    def step(self, line):
        self.process.stdin.write(line)
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("peers.py: %s ended early" % self.process.args)
        return float(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def contenders(bench_engine, installed):
    found = {"lossd": Contender([bench_engine, "--step"])}
    kernels = subprocess.run([bench_engine, "--kernels"], stdout=subprocess.PIPE,
                             text=True, check=True).stdout.split()
    for kernel in reversed(kernels[:-1]):
        found[kernel] = Contender([bench_engine, "--step"], LOSSD_KERNEL=kernel)
    for name in installed:
        command = [sys.executable, __file__, "--step", name]
        found[name] = Contender(command)
        if name == "torch" and "avx512f" in open("/proc/cpuinfo").read():
            found["torch-avx512"] = Contender(command, ATEN_CPU_CAPABILITY="avx512")
    return found


def race(found, line, seconds):
    names = list(found)
    least = {name: found[name].step(line) for name in names}
    end = time.monotonic() + seconds
    for turn in range(ROUNDS_MAX):
        for at in range(len(names)):
            name = names[(at + turn) % len(names)]
            least[name] = min(least[name], found[name].step(line))
        if time.monotonic() > end and turn >= 1:
            break
    return least


def cell(name, least):
    if least[name] != least[name]:
        return "%-27s" % (name + " -")
    return "%-27s" % ("%s %.3f (%.2fx)" % (name, least[name],
                                           least[name] / least["lossd"]))


def verdict(least, operation, dtype, shape):
    """What is wanted of this case and whether it is so; None when nothing is."""
    wanted = WANTED.get(operation, {}).get(shape)
    torch = [least[name] for name in least if name.startswith("torch")]
    if wanted is None or dtype != "float32" or not torch:
        return None
    ratio = min(torch) / least["lossd"]
    return ratio >= wanted, "%.2fx of %.1fx %s" % (
        ratio, wanted, "met" if ratio >= wanted else "missed")


def bench(bench_engine, seconds):
    installed = [n for n in PEERS if importlib.util.find_spec(n)]
    for name in PEERS:
        if name not in installed:
            print("skipped: %s is not installed (python3-%s)" % (name, name))
    if "numpy" not in installed:
        installed = []
    found = contenders(bench_engine, installed)
    share = seconds / (2 * len(SHAPES) * len(OPERATIONS))
    met = []
    print("\nbeside other libraries, 1 thread: ns per logit; times as fast as the better "
          "PyTorch of\nwhat is wanted; slower kernels and other libraries (times as long)")
    for dtype in ("float64", "float32"):
        for rows, classes in SHAPES:
            print("%dx%d %s" % (rows, classes, dtype))
            for operation in OPERATIONS + (OF_TARGETS if classes <= 1000 else []):
                line = "%s %s %d %d\n" % (operation, dtype, rows, classes)
                least = race(found, line, share)
                judged = verdict(least, operation, dtype, (rows, classes))
                if judged:
                    met.append(judged[0])
                print("  %-14s lossd %7.3f  %-22s%s" % (
                    operation, least["lossd"], judged[1] if judged else "",
                    "".join(cell(n, least) for n in found if n != "lossd")), flush=True)
    if met:
        print("of what is wanted %d of %d are met" % (sum(met), len(met)))
    for contender in found.values():
        contender.end()


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--step":
        serve_steps(sys.argv[2])
    elif len(sys.argv) in (2, 3):
        bench(sys.argv[1], float(sys.argv[2]) if len(sys.argv) == 3 else 20)
    else:
        raise SystemExit("usage: peers.py BENCH_ENGINE [SECONDS]")


if __name__ == "__main__":
    main()
