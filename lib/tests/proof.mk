# SPDX-License-Identifier: GPL-2.0
#
# Rules for the larger native tests, in addition to those of Makefile, which includes this.

ops-obj := $(patsubst $(here)/%.c,$(O)/obj/tests/%.o,$(sort $(wildcard $(here)/ops*.c)))
$(O)/oracle_test: $(ops-obj)

-include $(ops-obj:.o=.d)

# Searches are built without sanitizers, which makes them ten times as fast; the oracle has them.
# Where nothing is built with sanitizers, there is one set of objects.
plain := $(if $(SAN),plain,obj)
searches := contract exhaustive slab_states interleave robson wrong_free
plain-tests := $(searches) cpus steps
plainflags = $(filter-out $(sanflags),$(cflags)) $(CFLAGS) -O2
plain-obj := $(patsubst $(O)/obj/%,$(O)/$(plain)/%,$(lib-obj) $(host-env:%=$(O)/obj/lib/%.o))

$(O)/recheck_test: wrap := -Wl,--wrap=host_raw_lock,--wrap=host_assert_held,--wrap=memchr_inv,--wrap=myalloc_env_raw_memchr_inv,--wrap=myalloc_env_call_on_cpu
$(O)/cpus_test: wrap := -Wl,--wrap=myalloc_env_call_on_cpu
# Tests with intrusions around each lock.
raw-locks := -Wl,--wrap=host_raw_lock,--wrap=host_raw_trylock,--wrap=host_raw_unlock
$(O)/interleave_test $(O)/race_test $(O)/contract_race_test $(O)/pool_test $(O)/wrong_free_test: wrap := $(raw-locks)
$(O)/bounds_test: wrap := $(raw-locks)
$(O)/steps_test: wrap := $(raw-locks),--wrap=host_irq_save,--wrap=host_irq_restore,--wrap=host_assert_held

$(plain-tests:%=$(O)/%_test): $(O)/%_test: $(O)/$(plain)/tests/%_test.o $(plain-obj)
	$(call quiet,LD)
	@$(CC) $(filter-out $(sanflags),$(ldflags)) $(wrap) -o $@ $^ -ldl

$(O)/plain/lib/%.o: $(lib)/%.c $(O)/flags
	$(call quiet,CC)
	@mkdir -p $(@D) && $(CC) $(plainflags) -c -o $@ $<

$(O)/plain/tests/%.o: $(here)/%.c $(O)/flags
	$(call quiet,CC)
	@mkdir -p $(@D) && $(CC) $(plainflags) -c -o $@ $<

-include $(plain-obj:.o=.d) $(plain-tests:%=$(O)/$(plain)/tests/%_test.d)

# The searches in full. Sizes and times: --help of each.
.PHONY: exhaustive
exhaustive: $(searches:%=$(O)/%_test)
	@for test in $(searches); do echo "  FULL    $$test"; $(O)/$${test}_test --full || exit 1; done

# Deliberate bugs: see mutants/run -h.
.PHONY: mutants
mutants:
	@$(here)/mutants/run
