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

# MARK: what the program is made of

# In dependency order; below, what each one imports directly.
MODULES := Wire System SMTP POP3 Spool Accounts Server Console restante
IMPORTS_System := Wire
IMPORTS_SMTP := Wire
IMPORTS_POP3 := Wire
IMPORTS_Spool := System Wire
IMPORTS_Accounts := System Wire
IMPORTS_Server := Accounts POP3 SMTP Spool System Wire
IMPORTS_Console := Accounts Server Spool System Wire
IMPORTS_restante := Console Server System
LIBRARIES := crypto m
# All that `readelf -d` may name as NEEDED, and the size every stripped program must keep to, in octets.
NEEDED := libcrypto.so.3 libm.so.6 libc.so.6 ld-linux-aarch64.so.1 ld-linux-armhf.so.3
MAXIMUM_SIZE := 524288

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

C_FLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Werror -fPIC -ffunction-sections -fdata-sections \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-asynchronous-unwind-tables
SWIFT_FLAGS := -O -wmo -g -swift-version 6 -strict-memory-safety -warnings-as-errors \
  -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes \
  -Xfrontend -function-sections -Xcc -fPIC -Xcc -ffunction-sections -Xcc -fdata-sections
LINK_FLAGS := -fuse-ld=lld -pie -static-libgcc -Wl,--gc-sections,--as-needed,--build-id=sha1,--hash-style=gnu \
  -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--fatal-warnings

# MARK: building

.PHONY: all
all: build/restante

build/restante: build/$(DEB_HOST)/restante
	cp $< $@

# What the C compiler, Swift's importer and the linker must know of architecture $1.
c_target = -target $(GNU_$1) $(CPU_$1) $(addprefix --sysroot=,$(call SYSROOT,$1))
swift_target = -target $(SWIFT_$1) $(if $(filter %-linux-gnu,$(SWIFT_$1)),,-Xcc -D__linux__=1) \
  $(addprefix -Xcc ,$(CPU_$1)) $(if $(call SYSROOT,$1),-Xcc --sysroot=$(call SYSROOT,$1)) \
  $(foreach include,usr/include/$(GNU_$1) usr/include,-Xcc -isystem -Xcc $(call SYSROOT,$1)/$(include))
sources = $(shell find Sources/$1 -name '*.swift' 2>/dev/null | sort)
# While the house is being built: only the modules that have sources.
PRESENT := $(foreach module,$(MODULES),$(if $(call sources,$(module)),$(module)))
# An executable module with a main.swift has top-level code; one without has an @main type or a C entry point.
as_library = $(if $(wildcard Sources/$1/main.swift),,-parse-as-library)

# $1: architecture, $2: module. A directory's time changes when a file in it comes or goes.
define module_rules
build/obj/$1/$2.o: $(call sources,$2) $(shell find Sources/$2 -type d) Makefile \
    $(patsubst %,build/obj/$1/%.o,$(filter $(PRESENT),$(IMPORTS_$2))) \
    Sources/CLinux/include/clinux.h | build/obj/$1 $(call stamp,$1)
	@echo "swiftc $1 $2"
	@$$(SWIFTC) $$(SWIFT_FLAGS) $(call swift_target,$1) $(call as_library,$2) -module-name $2 \
	  -I build/obj/$1 -I Sources/CLinux/include -emit-module -emit-module-path build/obj/$1/$2.swiftmodule \
	  -c $(call sources,$2) -o $$@
endef

stamp = $(if $(call SYSROOT,$1),$(call SYSROOT,$1)/.complete)

define architecture_rules
build/obj/$1 build/$1:
	@mkdir -p $$@

build/obj/$1/CLinux.o: Sources/CLinux/clinux.c Sources/CLinux/include/clinux.h Makefile | build/obj/$1 $(call stamp,$1)
	@echo "clang  $1 CLinux"
	@$$(CLANG) $(call c_target,$1) $$(C_FLAGS) -I Sources/CLinux/include -c $$< -o $$@

# With symbols, for a debugger; the stripped copy ships.
build/obj/$1/restante: build/obj/$1/CLinux.o $(patsubst %,build/obj/$1/%.o,$(PRESENT))
	@echo "link   $1 restante"
	@$$(CLANG) $(call c_target,$1) $$(LINK_FLAGS) -o $$@ $$^ \
	  $(TOOLCHAIN)/lib/swift/embedded/$(SWIFT_$1)/libswiftUnicodeDataTables.a $(addprefix -l,$(LIBRARIES))

build/$1/restante: build/obj/$1/restante | build/$1
	@$$(OBJCOPY) --strip-all $$< $$@

build/sysroot-$1/.complete: image/sysroot
	@echo "unpacking Debian's libraries for $1 into build/sysroot-$1"
	@image/sysroot $1 build/sysroot-$1
	@touch $$@
endef

$(foreach arch,$(ARCHITECTURES),$(eval $(call architecture_rules,$(arch))))
$(foreach arch,$(ARCHITECTURES),$(foreach module,$(PRESENT),$(eval $(call module_rules,$(arch),$(module)))))
