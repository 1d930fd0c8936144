// SPDX-License-Identifier: GPL-2.0
/*
 * out_system: the member "system" of every result
 */
#include <string.h>

#include "host/system.h"
#include "out/out_tree.h"

static void str_or_null(struct out *o, const char *key, const char *label, const char *value)
{
	if (value)
		out_str(o, key, label, OUT_PLAIN, value);
	else
		out_null(o, key, label);
}

static void describe_debug(struct out *o, char *options)
{
	char *word, *at;

	if (!options) {
		out_null(o, "debug_options", "debug options");
		return;
	}
	out_list(o, "debug_options", "debug options");
	for (word = strtok_r(options, " ", &at); word; word = strtok_r(NULL, " ", &at))
		out_str(o, NULL, NULL, OUT_PLAIN, word);
	out_end(o);
}

/* Adds the machine's members to the open group. */
void out_system(struct out *o)
{
	struct system sys;

	system_read(&sys);
	str_or_null(o, "kernel", "kernel", sys.kernel);
	str_or_null(o, "version", NULL, sys.version);
	str_or_null(o, "machine", "machine", sys.machine);
	out_s64(o, "cpus", "CPUs", OUT_PLAIN, sys.cpus);
	if (sys.has_taint)
		out_u64(o, "taint", "taint", OUT_PLAIN, sys.taint);
	else
		out_null(o, "taint", "taint");
	str_or_null(o, "hypervisor", "hypervisor", sys.hypervisor);
	str_or_null(o, "accelerator", "accelerator", sys.accelerator);
	describe_debug(o, sys.debug_options);
	system_free(&sys);
}
