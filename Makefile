# Restante's two commands are `make run` and `make test`; `make help` lists the rest.
#
# The shipped program is Embedded Swift, built here module by module with the toolchain's own swiftc, clang and lld,
# in the same way for every architecture: only the sysroot differs. Package.swift builds the same sources in ordinary
# mode for the unit tests.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
export LC_ALL := C.UTF-8

PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
# Where systemd looks for what the administrator installs, or a package.
SYSTEMDDIR ?= $(PREFIX)/lib/systemd
UNITDIR ?= $(SYSTEMDDIR)/system

# MARK: what the program is made of

MODULES := Wire System SMTP POP3 Spool Accounts Server Console restante
C_SOURCES := $(wildcard Sources/CLinux/*.c)
C_HEADERS := $(wildcard Sources/CLinux/include/*)
LIBRARIES := ssl crypto systemd m

# Debian packages: what it takes to build, and what the tests use besides.
BUILD_PACKAGES := gcc libc6-dev libssl-dev libsystemd-dev
TEST_PACKAGES := binutils g++ mandoc python3 python3-pytest qemu-user-static \
  $(IMAGE_PACKAGES) $(shell cat Tests/Program/packages.txt Tests/Image/packages.txt 2>/dev/null)
# What the image is put together with.
IMAGE_PACKAGES := binutils dosfstools e2fsprogs fdisk grub-common kmod libc6-dev mtools openssl python3 squashfs-tools systemd zstd
# What building the small kernel takes besides.
KERNEL_PACKAGES := bc bison flex libelf-dev make xz-utils
# What has boards of ARM to boot, and what they start by.
BOARD_PACKAGES_arm64 := qemu-system-arm qemu-efi-aarch64 u-boot-qemu
BOARD_PACKAGES_armhf := qemu-system-arm qemu-efi-arm u-boot-qemu
# Postfix and Dovecot are what the program is measured against.
BENCH_PACKAGES := dovecot-pop3d e2fsprogs postfix util-linux

# MARK: the tools

SWIFTC ?= swiftc
TOOLCHAIN := $(shell $(SWIFTC) -print-target-info 2>/dev/null | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1|p')
CLANG := $(TOOLCHAIN)/bin/clang
OBJCOPY := $(TOOLCHAIN)/bin/llvm-objcopy
DEB_HOST := $(shell dpkg --print-architecture)

# MARK: architectures

ARCHITECTURES := amd64 arm64 armhf
GNU_amd64 := x86_64-linux-gnu
GNU_arm64 := aarch64-linux-gnu
GNU_armhf := arm-linux-gnueabihf
# Embedded Swift's standard library exists for these; the C compiler and the linker are told the GNU triple.
SWIFT_amd64 := x86_64-unknown-linux-gnu
SWIFT_arm64 := aarch64-none-none-elf
SWIFT_armhf := armv7-none-none-eabi
# Debian's armhf is ARMv7-A with VFPv3-D16; Thumb-2 makes it a fifth smaller.
CPU_armhf := -march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard -mthumb
SYSROOT = $(if $(filter $(DEB_HOST),$1),,build/sysroot-$1)

C_FLAGS := -std=gnu17 -Os -g -Wall -Wextra -Werror -fPIC -ffunction-sections -fdata-sections \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-asynchronous-unwind-tables
# Size first: the program waits for the kernel and the card, not for the processor. amd64 in all came to 852 kB with -O
# and 651 kB with -Osize, compiled module by module. Generating code once, for the program as a whole, made that 584 kB;
# calling what retains instead of inlining it, 552 kB; outlining, 532 kB; specializing no closures, 520 kB; inlining only
# what is marked for it, a tenth less again, and nothing that was measured became slower by it. With all of
# it a large message costs a fifth more of the processor than with -O: 0.85 GB are scanned in a second instead of 1 GB.
SWIFT_FLAGS := -Osize -wmo -g -swift-version 6 -strict-memory-safety -warnings-as-errors \
  -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes \
  -Xfrontend -function-sections -Xfrontend -mergeable-traps -Xllvm -inline-threshold=0 \
  -Xllvm -sil-disable-pass=closure-specialize -Xllvm -sil-disable-pass=capture-prop \
  -Xllvm -sil-disable-pass=inline \
  -Xcc -fPIC -Xcc -ffunction-sections -Xcc -fdata-sections
LINK_FLAGS := -fuse-ld=lld -pie -static-libgcc -Wl,--gc-sections,--as-needed,--build-id=sha1,--hash-style=gnu \
  -Wl,--icf=all -Wl,-z,relro,-z,now,-z,noexecstack,-z,pack-relative-relocs -Wl,--fatal-warnings
# The linker generates the code, which is another 15 kB less, and outlines. It would take armhf for a machine without
# floating point; there Thumb-2 does as much, and outlining is not to be trusted: LLVM 21 loses return addresses.
LTO_amd64 := -lto=llvm-full
LTO_arm64 := -lto=llvm-full
LTO_LINK := -flto -Wl,--lto-O2 -Wl,-mllvm,-inline-threshold=0 -Wl,-mllvm,-enable-machine-outliner=always

# MARK: building

.PHONY: all programs
all: build/restante ## builds build/restante, the program for this machine
programs: build/restante $(patsubst %,build/%/restante,$(ARCHITECTURES))

need_toolchain = [ -x "$(CLANG)" ] || { echo "make: there is no Swift toolchain that works in PATH ($(SWIFTC))." \
  "Swift 6.3 for Debian 12 is at https://www.swift.org/install/linux/" >&2; exit 1; }

build/restante: build/$(DEB_HOST)/restante
	@cp $< $@.new && mv $@.new $@
	@echo "$@: $$(stat -c %s $@) octets"

# What the C compiler, Swift's importer and the linker must know of architecture $1.
c_target = -target $(GNU_$1) $(CPU_$1) $(addprefix --sysroot=,$(call SYSROOT,$1))
swift_target = -target $(SWIFT_$1) $(if $(filter %-linux-gnu,$(SWIFT_$1)),,-Xcc -D__linux__=1) \
  $(addprefix -Xcc ,$(CPU_$1)) $(if $(call SYSROOT,$1),-Xcc --sysroot=$(call SYSROOT,$1)) \
  $(foreach include,usr/include/$(GNU_$1) usr/include,-Xcc -isystem -Xcc $(call SYSROOT,$1)/$(include))
TREE := $(sort $(shell find Sources -type d -o -name '*.swift'))
sources = $(filter Sources/$1/%.swift,$(TREE))
# A directory's time changes when a file in it comes or goes.
directories = $(filter-out %.swift,$(filter Sources/$1 Sources/$1/%,$(TREE)))
# What imports what, as MODULE.IMPORT; Package.swift is where the direction is kept.
IMPORTS := $(shell grep -r --include='*.swift' -E '^(public )?import ' Sources \
  | sed 's|^Sources/\([^/]*\)/.*import \(.*\)|\1.\2|' | sort -u)
imports = $(filter $(MODULES),$(patsubst $1.%,%,$(filter $1.%,$(IMPORTS))))
# An executable module with a main.swift has top-level code; one without has an @main type or a C entry point.
as_library = $(if $(wildcard Sources/$1/main.swift),,-parse-as-library)

# $1: architecture, $2: module. Embedded Swift keeps every function's body in the .swiftmodule, so that only the last
# module, which has main, becomes an object: it takes from the others what it reaches. The compiler leaves a file alone
# that comes out the same, but make needs it newer; and an object that only other options would change.
define module_rules
build/obj/$1/$2.swiftmodule: $(call sources,$2) $(call directories,$2) Makefile \
    $(patsubst %,build/obj/$1/%.swiftmodule,$(call imports,$2)) \
    $(C_HEADERS) | build/obj/$1 $(call stamp,$1)
	@echo "swiftc $1 $2"
	@rm -f build/obj/$1/$2.o
	@$$(SWIFTC) $$(SWIFT_FLAGS) $$(LTO_$1) $(call swift_target,$1) $(call as_library,$2) -module-name $2 \
	  -I build/obj/$1 -I Sources/CLinux/include -emit-module -emit-module-path $$@ \
	  $(if $(filter restante,$2),-c -o build/obj/$1/$2.o) $(call sources,$2)
	@touch $$@
endef

stamp = $(if $(call SYSROOT,$1),$(call SYSROOT,$1)/.complete)

define architecture_rules
build/obj/$1 build/$1:
	@$$(need_toolchain); mkdir -p $$@

build/obj/$1/%.c.o: Sources/CLinux/%.c $(C_HEADERS) Makefile | build/obj/$1 $(call stamp,$1)
	@echo "clang  $1 $$*.c"
	@$$(CLANG) $(call c_target,$1) $$(C_FLAGS) -I Sources/CLinux/include -c $$< -o $$@

# With symbols, for a debugger; the stripped copy ships.
build/obj/$1/restante: $(patsubst Sources/CLinux/%,build/obj/$1/%.o,$(C_SOURCES)) build/obj/$1/restante.swiftmodule
	@echo "link   $1 restante"
	@$$(CLANG) $(call c_target,$1) $$(LINK_FLAGS) $$(if $$(LTO_$1),$$(LTO_LINK)) -o $$@ $$(filter %.c.o,$$^) $$(@:=.o) \
	  $(TOOLCHAIN)/lib/swift/embedded/$(SWIFT_$1)/libswiftUnicodeDataTables.a $(addprefix -l,$(LIBRARIES))

build/$1/restante: build/obj/$1/restante | build/$1
	@$$(OBJCOPY) --strip-all $$< $$@

build/sysroot-$1/.complete: image/sysroot
	@echo "unpacking Debian's libraries for $1 into build/sysroot-$1"
	@image/sysroot $1 build/sysroot-$1
	@touch $$@
endef

$(foreach arch,$(ARCHITECTURES),$(eval $(call architecture_rules,$(arch))))
$(foreach arch,$(ARCHITECTURES),$(foreach module,$(MODULES),$(eval $(call module_rules,$(arch),$(module)))))

# MARK: the device

ARCH ?= amd64
# debian, or small: for boards with little memory.
KERNEL ?= debian
# Each firmware has a higher one than those it may replace.
VERSION ?= $(shell sed -n 's/.*version: StaticString = "\(.*\)".*/\1/p' Sources/Server/Server.swift)
# The oldest that it lets itself be replaced by; empty: VERSION.
export MINIMUM_VERSION ?=
# Whose firmware the device takes.
SIGNING_CERTIFICATE ?= build/signing/certificate.pem
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
IMAGE := build/image/restante-$(ARCH)$(if $(filter small,$(KERNEL)),-small).img

.PHONY: image setup-image
image: setup-image $(IMAGE) ## builds the device's disk, build/image/restante-ARCH.img: ARCH=amd64, arm64 or armhf, KERNEL=debian or small

setup-image:
	$(call install,$(sort $(BUILD_PACKAGES) $(IMAGE_PACKAGES) $(if $(filter small,$(KERNEL)),$(KERNEL_PACKAGES))))

build/signing/certificate.pem:
	@image/update/signing $(@D)

$(IMAGE): build/$(ARCH)/restante $(SIGNING_CERTIFICATE) $(shell find image systemd -mindepth 1)
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) CERTIFICATE=$(abspath $(SIGNING_CERTIFICATE)) VERSION=$(VERSION) \
	  CC_DEVICE='$(CLANG) $(call c_target,$(ARCH)) -fuse-ld=lld' image/assemble $(ARCH) $(KERNEL)

# With which key updates for these devices are signed, and what is new in this one: a text for those who install it.
SIGNING_KEY ?= $(if $(filter build/signing/%,$(SIGNING_CERTIFICATE)),build/signing/key.pem)
CHANGES ?=
SLOT := build/image/$(ARCH)$(if $(filter small,$(KERNEL)),-small)
BUNDLE := $(IMAGE:.img=-$(VERSION).raucb)

.PHONY: bundle setup-bundle
bundle: image setup-bundle ## builds an update for the device, signed with SIGNING_KEY=: build/image/restante-ARCH-VERSION.raucb
	@[ -n "$(SIGNING_KEY)" ] || { echo "make: say with SIGNING_KEY= which key belongs to $(SIGNING_CERTIFICATE)" >&2; exit 1; }
	@changes="$(CHANGES)"; \
	[ -n "$$changes" ] || { changes=build/image/changes; git log -9 --format='- %s' >$$changes; }; \
	BOOT=$(SLOT)/boot.fat ROOT=$(SLOT)/root.squashfs ARCHITECTURE=$(ARCH) VERSION=$(VERSION) CHANGES="$$changes" \
	  CERTIFICATE=$(SIGNING_CERTIFICATE) KEY=$(SIGNING_KEY) image/update/bundle $(BUNDLE)

setup-bundle:
	$(call install,rauc squashfs-tools)

# MARK: running

.PHONY: run setup setup-test setup-bench
run: setup build/restante ## builds the program and shows it: a message in by SMTP and out by POP3
	@exec build/restante demo

# Installs those packages of $1 that are missing, and says so. Silent and quick when none is.
define install
@$(need_toolchain); \
missing=$$(comm -13 <(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $1 2>/dev/null \
    | sed -n 's/^installed //p' | sort -u) <(printf '%s\n' $1 | sort -u)); \
[ -n "$$missing" ] || exit 0; \
echo "installing what is missing:" $$missing; \
as_root=; \
if [ "$$(id -u)" != 0 ]; then \
  as_root=sudo; \
  command -v sudo >/dev/null || { echo "make: ask an administrator for: apt-get install" $$missing >&2; exit 1; }; \
fi; \
get="$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"; \
$$get install -y --no-install-recommends $$missing >/dev/null </dev/null 2>&1 \
  || { $$get update || true; $$get install -y --no-install-recommends $$missing; } >/dev/null </dev/null
endef

setup: ## installs what building needs
	$(call install,$(BUILD_PACKAGES))

setup-test: ## installs what the tests need
	$(call install,$(sort $(BUILD_PACKAGES) $(TEST_PACKAGES)))

setup-bench: setup-test
	$(call install,$(BENCH_PACKAGES))

# MARK: testing

# Each part is also a target of its own: make test-unit. The longest come first, since two run at a time.
TESTS := image program unit fuzz cross lint manual
# A test that hangs has failed.
PATIENCE := timeout --kill-after=10 2400
PYTEST = $(PATIENCE) /usr/bin/python3 -B -m pytest -q

.PHONY: test test-build $(addprefix test-,$(TESTS)) bench
test: setup-test ## runs every test
	@rm -rf build/test; mkdir -p build/test; \
	echo "== build"; \
	$(MAKE) --no-print-directory test-build </dev/null || touch build/test/build.failed; \
	printf '%s\n' $(TESTS) | xargs -P 2 -I PART bash -c ' \
	  $(MAKE) --no-print-directory test-PART >build/test/PART.log 2>&1 </dev/null || touch build/test/PART.failed; \
	  flock build/test sh -c "echo == PART; cat build/test/PART.log"'; \
	failed=($$(cd build/test; ls | sed -n 's/\.failed$$//p')); \
	echo "== $(words build $(TESTS)) parts, $${#failed[@]} failed" $${failed[@]+"($${failed[*]})"}; \
	[ $${#failed[@]} = 0 ]

test-lint: ## the house's style
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

test-manual: ## the manual pages
	mandoc -T lint -W warning $(wildcard systemd/*.[1-8])

test-unit: ## every module by itself, in ordinary Swift with the address sanitizer
	$(PATIENCE) swift test --quiet --disable-xctest --sanitize=address -Xswiftc -use-ld=lld --scratch-path build/unit

test-fuzz: build/fuzz/fuzz ## every input that once broke something, and a short look for more
	$(PATIENCE) Tests/Fuzz/run --replay --seconds 5

test-build: ## the program for every architecture
	@$(MAKE) --no-print-directory -j2 programs

test-program: build/restante ## the whole program, as senders, readers and administrators meet it
	$(PYTEST) Tests/Program

test-cross: programs ## every architecture's program: what it links, how large it is, one message through it
	$(PYTEST) Tests/Cross

# How many machines are emulated at a time: they wait a good deal, for watchdogs and for one another. Those of ARM take longer for
# everything.
MACHINES ?= 3
test-image: PATIENCE = timeout --kill-after=10 $(if $(filter amd64,$(ARCH)),2400,5400)
test-image: setup-test setup-board image ## the device, booted: ARCH=amd64 in an emulated machine; arm64, armhf; KERNEL=small: that it starts well
	ARCH=$(ARCH) $(if $(filter small,$(KERNEL)),RESTANTE_IMAGE=$(abspath $(IMAGE))) $(PYTEST) -n $(MACHINES) --dist loadgroup \
	  Tests/Image$(if $(filter small,$(KERNEL)),/test_boot.py)

.PHONY: setup-board
setup-board: setup-test
	$(call install,$(BOARD_PACKAGES_$(ARCH)))

.PHONY: powercut
ROUNDS ?= 200
powercut: setup-test image ## pulls the device's plug ROUNDS=200 times while mail comes and goes; hours
	ROUNDS=$(ROUNDS) /usr/bin/python3 -B -m pytest -q -n 2 --dist loadgroup Tests/Image/test_power_cut.py

SECONDS ?= 60
TARGETS ?=
.PHONY: fuzz
fuzz: setup build/fuzz/fuzz ## looks for inputs that break a promise, SECONDS=60 for each of TARGETS="smtp pop3 ..."
	Tests/Fuzz/run --seconds $(SECONDS) $(TARGETS)

.PHONY: soak scan
MINUTES ?= 30
soak: setup-test build/restante ## honest and hostile traffic for MINUTES=30: memory, descriptors, lost mail, slow logins
	/usr/bin/python3 -B Tests/Program/soak.py $(MINUTES)

scan: setup-test build/restante ## all that testssl.sh tries, on the four ways into TLS; minutes
	/usr/bin/python3 -B Tests/Program/scan.py

bench: setup-bench build/restante ## measures; installs Postfix and Dovecot to compare with
	@Tests/Bench/run

.PHONY: bench-image
bench-image: setup-test image ## measures the device, booted; KERNEL=small must have been built, too. MINUTES=60 of idleness
	ARCH=$(ARCH) MINUTES=$(or $(filter-out 30,$(MINUTES)),60) /usr/bin/python3 -B Tests/Image/figures.py $(ROWS)

# Ordinary Swift, optimized, with all its traps, libFuzzer and the address sanitizer; each module once, for all targets.
FUZZ_MODULES := Wire System SMTP POP3 Spool Accounts Server
FUZZ_FLAGS := -O -wmo -g -swift-version 6 -strict-memory-safety -warnings-as-errors -enable-experimental-feature Lifetimes \
  -enable-testing -parse-as-library -sanitize=fuzzer,address -I build/fuzz/obj -I Sources/CLinux/include
# What the unit tests have, too.
FUZZ_SOURCES := $(sort $(wildcard Tests/Fuzz/*.swift Tests/Fuzz/Targets/*.swift)) Tests/WireTests/ContentReference.swift \
  Tests/POP3Tests/MemoryMaildrop.swift Tests/SpoolTests/MemoryDisk.swift

build/fuzz/obj:
	@$(need_toolchain); mkdir -p $@

define fuzz_rules
build/fuzz/obj/$1.swiftmodule: $(call sources,$1) $(call directories,$1) Makefile \
    $(patsubst %,build/fuzz/obj/%.swiftmodule,$(call imports,$1)) $(C_HEADERS) | build/fuzz/obj
	@echo "swiftc fuzz $1"
	@$$(SWIFTC) $$(FUZZ_FLAGS) -module-name $1 -emit-module -emit-module-path $$@ -c -o build/fuzz/obj/$1.o \
	  $(call sources,$1)
	@touch $$@
endef
$(foreach module,$(FUZZ_MODULES),$(eval $(call fuzz_rules,$(module))))

build/fuzz/obj/%.c.o: Sources/CLinux/%.c $(C_HEADERS) Makefile | build/fuzz/obj
	@echo "clang  fuzz $*.c"
	@$(CLANG) $(filter-out -Os -D_FORTIFY_SOURCE=2,$(C_FLAGS)) -O1 -fsanitize=fuzzer-no-link,address \
	  -I Sources/CLinux/include -c $< -o $@

build/fuzz/fuzz: $(patsubst Sources/CLinux/%,build/fuzz/obj/%.o,$(C_SOURCES)) \
    $(patsubst %,build/fuzz/obj/%.swiftmodule,$(FUZZ_MODULES)) $(FUZZ_SOURCES) Tests/Fuzz Tests/Fuzz/Targets
	@echo "swiftc fuzz"
	@$(SWIFTC) $(FUZZ_FLAGS) -module-name Fuzz -c -o build/fuzz/obj/Fuzz.o $(FUZZ_SOURCES)
	@$(SWIFTC) -sanitize=fuzzer,address -use-ld=lld -o $@ $(filter %.c.o,$^) \
	  $(patsubst %,build/fuzz/obj/%.o,$(FUZZ_MODULES) Fuzz) $(addprefix -l,$(LIBRARIES))

# MARK: keeping house

.PHONY: install clean distclean help
# What is installed: this machine's, or another architecture's.
PROGRAM ?= build/restante
install: $(PROGRAM) ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/restante
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 systemd/restante.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man5 systemd/restante.conf.5
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/restante README.md LICENSE
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/restante/examples systemd/restante.conf
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(wildcard systemd/*.service systemd/*.socket systemd/*.timer)
	install -D -m 644 -t $(DESTDIR)$(SYSTEMDDIR)/catalog systemd/restante.catalog
	install -D -m 644 -t $(DESTDIR)$(SYSTEMDDIR)/dnssd $(wildcard systemd/dnssd/*)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/sysusers.d systemd/sysusers.d/restante.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/tmpfiles.d systemd/tmpfiles.d/restante.conf
	[ "$(PREFIX)" = /usr ] || sed -i 's|/usr/bin/restante|$(PREFIX)/bin/restante|' $(DESTDIR)$(UNITDIR)/restante*.service

clean: ## removes what was built; other architectures' libraries stay
	rm -rf .build build/unit build/fuzz build/obj build/restante $(addprefix build/,$(ARCHITECTURES))

distclean: clean ## removes all that is not in the repository
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
