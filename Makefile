# The project's commands. The file for the kernel's build system is Kbuild.
#
# Products and downloads go to a cache directory outside this tree:
# MYALLOC_CACHE, or myalloc in XDG_CACHE_HOME or ~/.cache.

KERNEL ?= 6.12
export RECORD KERNEL V ACCEL CPUS MEM NUMA APPEND UPDATE ONLY TIMEOUT SHAPES ROUNDS BASELINE
export FUZZ_SECONDS RACE_OPS KDIR PREFIX DESTDIR SIGN_KEY SIGN_CERT

.DEFAULT_GOAL := help
.PHONY: help vm vm-shell vm-console test check kunit scenarios soak lifecycle ioctl-fuzz matrix
.PHONY: exhaustive fuzz models tsan compilers big-endian coverage coverage-mod mutants
.PHONY: bench bench-icount bench-host bench-kvm bench-scale programs module tool compile compile_commands
.PHONY: screenshots size lint superset clean
.PHONY: deb install uninstall packages-test

help:
	@echo 'On a Debian 12 machine each command installs the packages it needs. Times are for 2 cores:'
	@echo 'the first run; later runs.'
	@echo
	@echo '  make vm         boot a guest, load the module and four drivers, stress it, look inside'
	@echo '                  (2 min; 50 s)'
	@echo '  make vm-shell   a prompt in such a guest (2 min; 15 s)'
	@echo '  make vm-console a second terminal in the guest of vm-shell'
	@echo '  make test       check, KUnit under lockdep, scenarios, the guest of make vm for arm64, with a'
	@echo '                  total (35 min on 2 CPUs)'
	@echo '  make check      the allocator natively, under ASan and UBSan (7 min)'
	@echo '  make kunit      the same suites and more in a kernel with KASAN, lockdep and'
	@echo '                  kmemleak, built from source (15 min; 6 min)'
	@echo '  make scenarios  load, parameters, the tool, in a guest (12 min; 10 min)'
	@echo '  make soak       mixed stress for SECONDS (600) in a guest (11 min)'
	@echo '  make lifecycle  1,000 loads, rmmod against users, 510 SIGKILLs, in a guest (7 min)'
	@echo '  make ioctl-fuzz random ioctls while files are closed and duplicated (20 min)'
	@echo '  make matrix     all of the above on the machines of vm/matrix.conf, or on those that LEGS names'
	@echo '                  (4 hours)'
	@echo '  make exhaustive every state of small worlds, every interleaving of short sequences, 10^8'
	@echo '                  requests within a contract (4 min)'
	@echo '  make fuzz       libFuzzer on pages, caches, fronts and the device, FUZZ_SECONDS (60)'
	@echo '                  for each (4 min; 3 min)'
	@echo '  make models     the lock-free parts: models checked by spin, litmus tests decided by'
	@echo '                  herd7 with the kernel'"'"'s memory model (3 min; 30 s)'
	@echo '  make tsan       suites and racing threads under ThreadSanitizer (4 min; 3 min)'
	@echo '  make compilers  the suites built by gcc and three clangs, from -O0 to -O3 with LTO (6 min)'
	@echo '  make big-endian the suites built for s390x, in an emulator (5 min)'
	@echo '  make bench      native speed beside the kernel'"'"'s allocators, as a table, JSON and plots'
	@echo '                  (10 min; 3 min)'
	@echo '  make bench-icount  instructions per operation, against a baseline (5 min)'
	@echo '  make bench-host    the core natively, beside malloc libraries (3 min)'
	@echo '  make bench-scale   the core natively, with up to 512 CPUs and 1 TiB (2 min)'
	@echo '  make programs   python3, sqlite3, gcc and redis with the core as their malloc(), compared'
	@echo '                  with four malloc libraries (10 min)'
	@echo '  make bench-kvm     like bench, on a stock kernel, where KVM works (3 min)'
	@echo '  make module     build the modules for KERNEL (1 min; 10 s)'
	@echo '  make size       the size of myalloc.ko for Linux 6.12, by room (1 min; 10 s)'
	@echo '  make tool       build the userspace tool (10 s)'
	@echo '  make deb        build the Debian packages, checked by lintian (1 min; 20 s)'
	@echo '  make install    install module, tool, headers and manual, for the kernel whose headers are'
	@echo '                  KDIR (/lib/modules/RUNNING/build), in PREFIX (/usr/local), below DESTDIR;'
	@echo '                  SIGN_KEY and SIGN_CERT sign the modules (1 min)'
	@echo '  make uninstall  remove what that has installed'
	@echo '  make packages-test  the packages on a clean Debian: apt, DKMS, load, remove (6 min; 3 min)'
	@echo '  make compile    compile every configuration: kernels, page sizes, fuzzers, tests; run'
	@echo '                  nothing (6 min; 1 min)'
	@echo '  make compile_commands  build the modules, and write compile_commands.json for editors'
	@echo '                  and clangd: how modules, native tests and tool are compiled (20 s)'
	@echo '  make screenshots  pictures of top, map, report and results, from a real run (4 min)'
	@echo '  make coverage   branches and MC/DC of lib/ that the native tests cover (3 min)'
	@echo '  make coverage-mod  lines of mod/*.c that kunit and scenarios execute (25 min; 10 min)'
	@echo '  make mutants    insert deliberate bugs into lib/; a native test must find each (3 min)'
	@echo '  make superset   compare the tests executed, in the results NEW (those of this tree), with a'
	@echo '                  folder of earlier ones, or vm/TESTS.md with that of a commit: OLD (1 s)'
	@echo '  make lint       checkpatch, kernel-doc, sparse, W=1, shellcheck, layers (1 min)'
	@echo '  make clean      delete what was built from this tree; kernels stay in the cache'
	@echo
	@echo '  KERNEL=6.1, 6.12 (default), 6.12-rt, newest, or a name of vm/kernels.conf; what is'
	@echo '                  foreign is cross-built, and emulated: 6.12-arm64, 6.12-arm64-16k'
	@echo '  V=1             show all output'
	@echo '  ONLY="a b"      run only these scenarios'
	@echo '  CPUS=2 MEM=1G NUMA=1 TIMEOUT=300 ACCEL=auto|kvm|tcg|icount APPEND="..."  the guest'
	@echo '  RECORD=1        record test results in vm/TESTS.md, measurements in'
	@echo '                  vm/bench/RESULTS.md, in the section of this command'
	@echo '  UPDATE=1        look for newer kernels than those in the cache'

vm vm-shell:
	@vm/setup.sh guest module tool
	@vm/tool.sh $(KERNEL)
	@vm/run.sh --kernel $(KERNEL) $(if $(filter vm,$@),--show,--shell) vm/demo.sh

vm-console:
	@vm/console.sh

test:
	@vm/test.sh check kunit demo scenarios

check scenarios lifecycle:
	@vm/test.sh $@

kunit:
	@KUNIT_KERNEL=$${KUNIT_KERNEL:-debug} vm/test.sh $@

ioctl-fuzz:
	@vm/test.sh ioctl_fuzz

SECONDS ?= 600
soak:
	@vm/setup.sh guest module tool
	@vm/tool.sh $(KERNEL)
	@vm/run.sh --kernel $(KERNEL) --append GUEST_SECONDS=$(SECONDS) --show vm/soak.sh

matrix:
	@vm/matrix.sh $(LEGS)

exhaustive fuzz models tsan compilers big-endian:
	@vm/proof.sh $@

coverage-mod:
	@vm/coverage-mod.sh

bench:
	@vm/bench.sh uml

bench-icount bench-host bench-kvm bench-scale:
	@vm/bench.sh $(@:bench-%=%)

programs:
	@vm/programs.sh

module:
	@vm/module.sh $(KERNEL)

tool:
	@vm/tool.sh

deb:
	@vm/deb.sh

install uninstall:
	@vm/install.sh $@

packages-test:
	@vm/test.sh packages

compile screenshots size:
	@vm/$@.sh

compile_commands:
	@vm/compile_commands.sh

coverage mutants:
	@vm/$@.sh

lint:
	@vm/lint.sh

superset:
	@vm/superset.py $(OLD) $(NEW)

clean:
	@vm/clean.sh
