# lossd: `make run` serves on :8080, `make test` runs every test, `make help` lists the rest.

# Each variant (asan, tsan, fuzz) has a build folder of its own; the plain build is build/.
VARIANT ?=
OUT     := build$(if $(VARIANT),/$(VARIANT))
ifeq ($(origin CC),default)
CC      := gcc
endif
# What runs while building, whatever CC builds for.
BUILD_CC ?= $(CC)
PREFIX  ?= /usr/local
VERSION := 1.0.0
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
ARGS    ?=

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
            -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings \
            -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough -Werror
# No fused multiply-add and no fast-math: the same bits on every processor.
FLOATS   := -ffp-contract=off -fno-math-errno -fno-trapping-math
SAFETY   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS   ?= -O2 -g
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE
FLAGS_tsan := -O1 -g -fsanitize=thread -U_FORTIFY_SOURCE
COMPILE   = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) $(FLOATS) $(SAFETY) $(FLAGS_$(VARIANT)) \
            -Iinclude -Isrc -I$(OUT)/gen -MMD -MP
LINK     := $(CC) $(CFLAGS) $(FLAGS_$(VARIANT)) -pie -Wl,-z,relro,-z,now
LIBS     := -lmicrohttpd -lcjson -lz -lcurl -lpthread -lm

# The engine's kernel is built for each instruction set; the fastest that runs is used.
KERNEL_FILES  := src/engine/kernel/kernel src/engine/kernel/matmul
# Where there is no compiler yet it will be one for this machine.
MACHINE       := $(or $(shell $(CC) -dumpmachine 2>/dev/null),$(shell uname -m))
KERNELS       := baseline $(if $(findstring x86_64,$(MACHINE)),avx2 avx512)
KERNEL_avx2   := -mavx2 -mfma
KERNEL_avx512 := -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512

MAINS    := src/main.c src/cli/main.c src/base/number/number_powers_gen.c
SOURCES  := $(filter-out $(MAINS) $(KERNEL_FILES:%=%.c),$(wildcard src/*.c src/*/*.c src/*/*/*.c))
OBJECTS  := $(SOURCES:%.c=$(OUT)/obj/%.o) $(foreach f,$(KERNEL_FILES),$(KERNELS:%=$(OUT)/obj/$(f)-%.o))
LIBRARY  := $(OUT)/liblossd.a
FIXTURES := $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out tests/system/test_%.c %_shim.c,$(wildcard tests/system/*.c)))
SHIMS    := $(patsubst tests/system/%.c,$(OUT)/tests/%.so,$(wildcard tests/system/*_shim.c))
REPLAYS  := $(patsubst tests/fuzz/%.c,$(OUT)/tests/fuzz/test_%,$(wildcard tests/fuzz/fuzz_*.c))
TESTS    := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/test_*.c tests/unit/*/test_*.c tests/unit/*/*/test_*.c \
              tests/properties/test_*.c tests/conversations/test_*.c tests/conformance/test_*.c \
              tests/system/test_*.c)) $(REPLAYS)
BENCHES  := $(patsubst %.c,$(OUT)/%,$(wildcard tests/bench/*/bench_*.c))
# Long, and of one thread: nothing that ThreadSanitizer could see.
ALONE_tsan := properties/test_accuracy properties/test_loss_properties properties/test_torture \
              properties/test_formats properties/test_datasets unit/codec/test_inflater \
              unit/codec/json/test_json_read unit/engine/test_exact_sum \
              unit/engine/kernel/test_kernel unit/engine/kernel/test_matmul
TESTS    := $(filter-out $(ALONE_$(VARIANT):%=$(OUT)/tests/%),$(TESTS))
STORMS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/storm/storm_*.c))

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.PRECIOUS: $(OUT)/obj/%.o # not .SECONDARY, which would not miss what a library lacks
.PHONY: all help run test test-exhaustive storm bench bits check asan tsan layers headers lint format \
        fuzz install clean deps image test-image

all: $(OUT)/lossd $(OUT)/lossctl   ## build build/lossd and build/lossctl (the default)

help:                   ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## *\(.*\)/\1\t\2/p' Makefile | expand -t 18

run: all                ## build and serve on 127.0.0.1:8080 (ARGS="--port 9000" for more)
	$(OUT)/lossd $(ARGS)

test: $(OUT)/.deps-test ## build and run every test
	@$(MAKE) --no-print-directory all tests
	@tests/run.sh $(OUT) $(TESTS)

.PHONY: tests benches storms
tests: $(TESTS) $(SHIMS)
benches: $(BENCHES)
storms: $(STORMS)

storm: $(OUT)/.deps-test ## attack the service with more than the tests do (STORM="slow crowd refusals drain balanced soak" SOAK_SECONDS=600)
	@$(MAKE) --no-print-directory all storms
	@tests/storm/run.sh $(OUT)

bench: $(OUT)/.deps-test ## measure engine, codec, service, and that under strain, side by side
	@$(MAKE) --no-print-directory all benches
	@tests/bench/run.sh $(OUT)

bits: $(OUT)/.deps-build ## hold kernels, compilers and arm64 (under qemu) to the same bits
	@$(MAKE) --no-print-directory $(OUT)/tests/bits/bits
	@tests/bits/run.sh $(OUT)

check: $(OUT)/.deps-test $(OUT)/.deps-lint ## everything: warnings, tests, bits, sanitizers, linters, layers
	@deploy/deps.sh arm64 || echo "going on without arm64"
	@tests/check.sh

asan:                   ## every test under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory VARIANT=asan test

tsan:                   ## the tests with threads under ThreadSanitizer
	@$(MAKE) --no-print-directory VARIANT=tsan test

deps:                   ## install what building, testing and linting need (apt)
	@deploy/deps.sh build test lint arm64

image:                  ## build the container image lossd:$(VERSION)
	@deploy/image.sh build

test-image:             ## build the image and check it read-only, without capabilities, in 64 MB
	@deploy/image.sh test

test-exhaustive: $(OUT)/.deps-build ## all 2^32 float32 and 1e8 float64 round trips (long)
	@$(MAKE) --no-print-directory $(OUT)/tests/exhaustive/number_roundtrip
	$(OUT)/tests/exhaustive/number_roundtrip

layers:                 ## hold every #include to tests/layers.txt
	@tests/layers.sh

headers: $(OUT)/.deps-build ## every header compiles by itself
	@for h in $$(find include src -name '*.h'); do \
	  $(filter-out -MMD -MP,$(COMPILE)) -Wno-unused-function -Wno-unused-const-variable -fsyntax-only -x c -include $$h /dev/null || exit 1; done

lint: $(OUT)/.deps-lint ## clang-tidy, cppcheck, shellcheck, format check
	@$(MAKE) --no-print-directory $(OUT)/gen/number_powers.inc $(WEB)
	@tests/lint.sh

format:                 ## lay out all C files
	find include src tests -name '*.[ch]' -o -name '*.inc' | xargs clang-format -i

FUZZER ?= libfuzzer
SECONDS_EACH ?= 60
TARGETS ?=
fuzz: $(OUT)/.deps-lint $(if $(filter afl,$(FUZZER)),$(OUT)/.deps-afl) ## run the fuzzers for a minute each (SECONDS_EACH=60 FUZZER=libfuzzer|afl TARGETS=json)
	@tests/fuzz/run.sh $(OUT)/$(FUZZER) $(SECONDS_EACH) $(FUZZER) $(TARGETS)

install: all            ## install to $(PREFIX), DESTDIR honoured
	install -D -m 755 $(OUT)/lossd $(DESTDIR)$(PREFIX)/bin/lossd
	install -D -m 755 $(OUT)/lossctl $(DESTDIR)$(PREFIX)/bin/lossctl

clean:                  ## remove build/
	rm -rf build

# The packages are there, or become so; asked once per build folder.
$(OUT)/.deps-%: deploy/deps.sh
	@deploy/deps.sh build $(filter-out build,$*)
	@mkdir -p $(@D) && touch $@

$(OUT)/lossd: $(OUT)/obj/src/main.o $(LIBRARY)
	@echo "LINK $@"
	@$(LINK) -o $@ $^ $(LIBS)

$(OUT)/lossctl: $(OUT)/obj/src/cli/main.o $(LIBRARY)
	@echo "LINK $@"
	@$(LINK) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(FIXTURES) $(LIBRARY)
	@mkdir -p $(@D)
	@echo "LINK $@"
	@$(LINK) -o $@ $^ -lcmocka $(LIBS)

# A fuzz target as a test, which replays its corpus.
$(REPLAYS): $(OUT)/tests/fuzz/test_%: $(OUT)/obj/tests/fuzz/%.o $(OUT)/obj/tests/fuzz/replay.o $(LIBRARY)
	@mkdir -p $(@D)
	@echo "LINK $@"
	@$(LINK) -o $@ $^ -lcmocka $(LIBS)

# Loaded into the service by a test.
$(OUT)/tests/%_shim.so: tests/system/%_shim.c tests/system/fault_plan.h Makefile | $(OUT)/gen/build.inc
	@mkdir -p $(@D)
	@echo "LINK $@"
	@$(filter-out -fsanitize% -MMD -MP,$(COMPILE)) -fPIC -shared -o $@ $< -ldl

# Of the lowest layers alone, so that it can be built for machines without the libraries.
$(OUT)/tests/bits/bits: $(OUT)/obj/tests/bits/bits.o $(filter $(OUT)/obj/src/base/% $(OUT)/obj/src/engine/%,$(OBJECTS))
	@mkdir -p $(@D)
	@echo "LINK $@"
	@$(LINK) -o $@ $^ -lpthread -lm

$(OUT)/obj/tests/storm/%.o: CFLAGS += -Itests/system

$(OUT)/obj/%.o: %.c Makefile $(OUT)/gen/number_powers.inc | $(OUT)/gen/build.inc $(OUT)/.deps-build
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(COMPILE) -c -o $@ $<

# The powers of five that exact number conversion needs, computed.
$(OUT)/gen/number_powers.inc: src/base/number/number_powers_gen.c src/base/number/number_powers_range.h | $(OUT)/.deps-build
	@mkdir -p $(@D)
	$(BUILD_CC) -std=gnu11 -O1 -Iinclude -Isrc -o $(OUT)/gen/number_powers_gen $<
	$(OUT)/gen/number_powers_gen > $@

# The pages for a browser, style and script within them.
WEB := $(patsubst src/web/%.html,$(OUT)/gen/%.inc,$(wildcard src/web/*.html))
$(WEB): $(OUT)/gen/%.inc: src/web/%.html src/web/%.js src/web/style.css src/web/embed.sh
	@mkdir -p $(@D)
	src/web/embed.sh $* > $@
$(OUT)/obj/src/api/assets.o: $(WEB)

define FOR_KERNEL
$(OUT)/obj/%-$(1).o: %.c Makefile | $(OUT)/.deps-build
	@mkdir -p $$(@D)
	@echo "CC $$< ($(1))"
	@$$(COMPILE) -Wno-psabi $$(KERNEL_$(1)) -DKERNEL=$(1) -c -o $$@ $$<
endef
$(foreach kernel,$(KERNELS),$(eval $(call FOR_KERNEL,$(kernel))))

# Loops over rows are what the time goes into.
$(OUT)/obj/src/engine/%.o: CFLAGS += -O3

# Build facts; the file changes only when they do.
$(OUT)/gen/build.inc: FORCE
	@mkdir -p $(@D)
	@printf '#define LOSSD_VERSION "%s"\n#define LOSSD_COMMIT "%s"\n' '$(VERSION)' '$(COMMIT)' > $@.new
	@cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
