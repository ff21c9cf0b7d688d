# Holdfast. `make demo` shows the main job, `make test` runs every test; `make help` lists the rest.

VERSION  := $(shell cat VERSION)
# A variant of the build has its own directory: `make BUILD=build/asan VARIANT=asan`.
BUILD    ?= build/release
VARIANT  ?= release

PACKAGES := libpcre2-8 libxxhash openssl
DEBIAN   := build-essential pkg-config re2c bison libpcre2-dev libssl-dev libxxhash-dev libcunit1-dev varnish curl jq \
            mandoc systemd procps

CC       ?= cc
# Recipes print one short line; `make V=1` prints the commands.
Q        := $(if $(V),,@)
say       = $(if $(V),,@echo "  $(1)")
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CPPFLAGS += -D_GNU_SOURCE -Iinclude -I. -I$(BUILD)/gen -DHOLDFAST_VERSION='"$(VERSION)"'
OPTIMISE := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifeq ($(VARIANT),asan)
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=address,undefined
endif
ifeq ($(VARIANT),torture)
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DHOLDFAST_TORTURE
LDFLAGS  += -fsanitize=address,undefined
endif
CFLAGS   += -std=c11 -g $(OPTIMISE) $(WARNINGS)
LDFLAGS  += -pthread -rdynamic -Wl,-z,relro,-z,now
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

SOURCES   := $(sort $(wildcard src/*/*.c))
GENERATED := $(BUILD)/gen/config_lexer.c $(BUILD)/gen/config_parser.c $(BUILD)/gen/http1.c
OBJECTS   := $(SOURCES:%.c=$(BUILD)/%.o) $(GENERATED:%.c=%.o)
PROGRAM   := $(BUILD)/src/proc/main.o
LIBRARY   := $(filter-out $(PROGRAM),$(OBJECTS))

UNIT_SOURCES := $(sort $(wildcard reg-tests/unit/*.c))
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(BUILD)/%.o)
# Each of these is one file and one program.
TOOL_SOURCES := $(sort $(wildcard examples/upload-demo/*.c) \
                  $(filter-out reg-tests/tools/faults.c,$(wildcard reg-tests/tools/*.c)))
TOOLS        := $(TOOL_SOURCES:%.c=$(BUILD)/%)

# A holdfast whose workers fail where a test tells them to, by functions that stand before ours.
FAULTY  := $(BUILD)/holdfast-faults
FAULTS  := $(BUILD)/reg-tests/tools/faults.o
WRAPPED := worker_process_run bundle_compile worker_prepare worker_commit channel_send txn_enter loop_timer_set

# Each corpus of inputs that fuzzing has found is run through its harness in every build.
REPLAYS      := $(patsubst reg-tests/fuzz/corpus/%,$(BUILD)/replay/%,$(wildcard reg-tests/fuzz/corpus/*))
REPLAY_MAIN  := $(BUILD)/reg-tests/fuzz/replay/replay.o

.PHONY: all help deps have-deps demo test test-long unit-test config-test vtc-test asan asan-long torture layers shape \
        bench clean fuzz docs
.DELETE_ON_ERROR:
.SECONDARY:

all: holdfast $(TOOLS) $(FAULTY)

help:
	@echo 'make           build ./holdfast'
	@echo 'make demo      show an upload that survives the death of its server'
	@echo 'make test      run every test (unit, config, scenarios under both pollers)'
	@echo 'make asan      build and test under AddressSanitizer and UBSan'
	@echo 'make torture   the same with reads and writes of a few bytes'
	@echo 'make test-long the tests of reloads and of workers that die in their full length'
	@echo 'make asan-long the same under AddressSanitizer and UBSan'
	@echo 'make install   DESTDIR=, PREFIX=/usr/local: program, manual, unit, example configuration'
	@echo 'make bench     measure beside nginx'
	@echo 'make fuzz      run each fuzz harness for FUZZ_SECONDS (60)'
	@echo 'make layers    check that no layer includes one above it'
	@echo 'make shape     print functions over 70 lines and files over 800'
	@echo 'make docs      fill in what the documents have from the program: tables, and what it prints'
	@echo 'make deps      install the Debian packages that are needed'

holdfast: $(BUILD)/holdfast
	@cp -f $< $@

$(BUILD)/holdfast: $(PROGRAM) $(LIBRARY)
	$(call say,LD $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(FAULTY): $(PROGRAM) $(FAULTS) $(LIBRARY)
	$(call say,LD $@)
	$(Q)$(CC) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LDLIBS)

$(BUILD)/unit: $(UNIT_OBJECTS) $(LIBRARY)
	$(call say,LD $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs cunit)

$(REPLAYS): $(BUILD)/replay/%: $(BUILD)/reg-tests/fuzz/%_fuzz.o $(REPLAY_MAIN) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(TOOLS): $(BUILD)/%: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(shell pkg-config --libs libcrypto)

# What a build was made with counts as its source.
$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# Generated code keeps our warnings but for the one that its tables cannot honour.
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c Makefile
	$(call say,CC $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -Wno-conversion -MMD -MP -c -o $@ $<

$(BUILD)/gen/config_lexer.c: grammar/config.re
	@mkdir -p $(@D)
	$(call say,RE2C $<)
	$(Q)re2c -W -Werror --no-generation-date -i -o $@ $<

$(BUILD)/gen/http1.c: grammar/http1.re
	@mkdir -p $(@D)
	$(call say,RE2C $<)
	$(Q)re2c -W -Werror --no-generation-date -i --tags -o $@ $<

$(BUILD)/gen/config_parser.c $(BUILD)/gen/config_parser.h &: grammar/config.y
	@mkdir -p $(@D)
	$(call say,BISON $<)
	$(Q)bison -Wall -Wcounterexamples -Werror --defines=$(BUILD)/gen/config_parser.h -o $(BUILD)/gen/config_parser.c $<

# Whoever includes the parser's header finds it made.
$(OBJECTS) $(UNIT_OBJECTS): | $(BUILD)/gen/config_parser.h

-include $(OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d) $(TOOLS:=.d) $(FAULTS:.o=.d)
-include $(REPLAY_MAIN:.o=.d) $(REPLAYS:$(BUILD)/replay/%=$(BUILD)/reg-tests/fuzz/%_fuzz.d)

deps:
	@echo 'make deps: installing with apt what the build and the tests need: $(DEBIAN)'
	@root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	$$root apt-get update -q && \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(DEBIAN)

# Calls `deps` only where something is missing, and says what.
have-deps:
	@missing=; \
	for tool in cc re2c bison varnishtest curl pkg-config; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	for package in $(PACKAGES) cunit; do pkg-config --exists $$package 2>/dev/null || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then echo "missing:$$missing"; $(MAKE) --no-print-directory deps; fi

demo: have-deps
	@$(MAKE) --no-print-directory all
	@examples/upload-demo/demo.sh $(BUILD)

test: have-deps
	@$(MAKE) --no-print-directory all $(BUILD)/unit $(REPLAYS)
	@reg-tests/run.sh $(BUILD)

# In full length: what reload-*, worker-killed and their like do for a few seconds in `make test`.
LONG := reload-load reload-stays worker-killed over-tcp worker-silent reload-valgrind
test-long: have-deps
	@$(MAKE) --no-print-directory all
	@set -e; for name in $(LONG); do echo "$$name"; \
	    TEST_LONG=1 reg-tests/scenarios/$$name.sh $(BUILD) || [ $$? = 77 ]; done

# The same under AddressSanitizer and UBSan.
asan-long:
	@$(MAKE) --no-print-directory BUILD=build/asan VARIANT=asan test-long

asan: have-deps
	@$(MAKE) --no-print-directory BUILD=build/asan VARIANT=asan build/asan/holdfast build/asan/unit tools
	@reg-tests/run.sh build/asan

torture: have-deps
	@$(MAKE) --no-print-directory BUILD=build/torture VARIANT=torture build/torture/holdfast build/torture/unit tools
	@reg-tests/run.sh build/torture

# PREFIX=/usr for a package; DESTDIR is put before every path. A configuration that is there stays as it is.
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
BINARY     ?= holdfast
INSTALLED   = $(DESTDIR)$(PREFIX)

.PHONY: install
install: $(BINARY)
	$(call say,INSTALL $(INSTALLED))
	$(Q)install -D -m 755 $(BINARY) $(INSTALLED)/sbin/holdfast
	$(Q)for page in $(wildcard doc/*.[1-9]); do \
	    install -D -m 644 $$page $(INSTALLED)/share/man/man$${page##*.}/$${page##*/}; done
	$(Q)mkdir -p $(INSTALLED)/lib/systemd/system
	$(Q)sed 's|/usr/sbin/|$(PREFIX)/sbin/|; s|/etc/holdfast/|$(SYSCONFDIR)/holdfast/|' \
	    examples/systemd/holdfast.service >$(INSTALLED)/lib/systemd/system/holdfast.service
	$(Q)chmod 644 $(INSTALLED)/lib/systemd/system/holdfast.service
	$(Q)install -D -m 644 examples/systemd/holdfast.socket $(INSTALLED)/lib/systemd/system/holdfast.socket
	$(Q)install -D -m 644 examples/systemd/holdfast.tmpfiles $(INSTALLED)/lib/tmpfiles.d/holdfast.conf
	$(Q)install -D -m 644 examples/systemd/holdfast.sysusers $(INSTALLED)/lib/sysusers.d/holdfast.conf
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/holdfast/holdfast.cfg ] || \
	    install -D -m 644 examples/systemd/holdfast.cfg $(DESTDIR)$(SYSCONFDIR)/holdfast/holdfast.cfg

.PHONY: tools
tools: $(TOOLS) $(REPLAYS) $(FAULTY)

layers:
	@reg-tests/layers.sh

shape:
	@reg-tests/shape.sh

bench: have-deps
	@$(MAKE) --no-print-directory all
	@reg-tests/bench/bench.sh $(BUILD)

# Needs clang and its runtime (Debian: clang libclang-rt-14-dev). FUZZ_SECONDS for each harness.
FUZZ_SECONDS ?= 60
FUZZERS      := $(patsubst reg-tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard reg-tests/fuzz/*.c))

# Its scripts move the clock themselves.
$(BUILD)/fuzz/txn_fuzz: FUZZ_LINK := -Wl,--wrap=clock_monotonic_ms

$(BUILD)/fuzz/%: reg-tests/fuzz/%.c $(filter-out src/proc/main.c,$(SOURCES)) $(GENERATED)
	@mkdir -p $(@D)
	$(call say,FUZZ $<)
	$(Q)clang -g -O1 -w $(CPPFLAGS) $(PKG_CFLAGS) -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all $(FUZZ_LINK) \
	    -o $@ $^ $(LDLIBS)

fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do mkdir -p $$f.corpus; echo "$$f"; \
	    name=$$(basename $$f _fuzz); seeds=reg-tests/fuzz/corpus/$$name; [ -d $$seeds ] || seeds=; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 -print_final_stats=1 $$f.corpus $$seeds >$$f.log 2>&1 || { tail $$f.log; exit 1; }; \
	    grep -E 'stat::number_of_executed_units' $$f.log; done

clean:
	rm -rf build holdfast

# What the documents and the editors' files have from the tables of the program.
docs: holdfast doc/states.md
	@doc/generate/generate.sh $(BUILD)/holdfast
	@doc/generate/consoles.sh $(BUILD)/holdfast

doc/states.md: include/proxy/txn_state.def reg-tests/states.sh
	@reg-tests/states.sh > $@
