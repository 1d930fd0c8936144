// SPDX-License-Identifier: GPL-2.0
/*
 * system: what a result has to say about the machine it comes from
 *
 *	kernel		release, as uname -r
 *	version		build, as uname -v
 *	machine		as uname -m
 *	cpus		online
 *	taint		/proc/sys/kernel/tainted, null if it cannot be read
 *	hypervisor	what the processor or the firmware calls it, null if nothing does
 *	accelerator	"kvm", "tcg", "uml", "none", ..., null if not known
 *	debug_options	CONFIG_ names without the prefix, null if the kernel does not tell
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/host.h"
#include "host/mem.h"
#include "out/out.h"
#include "host/root.h"
#include "host/system.h"

/* What changes speed or finds more; RT is here because it changes what may sleep. */
static const struct {
	const char *name;
	bool slow;	/* distributions do not ship it */
} debug_options[] = {
	{ "KASAN", true }, { "KCSAN", true }, { "KMSAN", true },
	{ "UBSAN", false }, { "KFENCE", false }, { "DEBUG_KMEMLEAK", true },
	{ "PROVE_LOCKING", true }, { "DEBUG_LOCK_ALLOC", true },
	{ "DEBUG_SPINLOCK", true }, { "DEBUG_ATOMIC_SLEEP", true },
	{ "DEBUG_PREEMPT", false }, { "DEBUG_LIST", false },
	{ "DEBUG_VM", true }, { "DEBUG_PAGEALLOC", false },
	{ "PAGE_POISONING", false }, { "PAGE_OWNER", false },
	{ "SLUB_DEBUG_ON", true }, { "FAULT_INJECTION", false },
	{ "KCOV", true }, { "GCOV_KERNEL", true }, { "PREEMPT_RT", false },
	{ "KUNIT", false },
};

/* Signatures of CPUID 0x40000000, and what they mean for speed. */
static const struct {
	const char *signature;
	const char *accelerator;
} hypervisors[] = {
	{ "KVMKVMKVM", "kvm" },
	{ "TCGTCGTCGTCG", "tcg" },
	{ "Microsoft Hv", "hyperv" },
	{ "VMwareVMware", "vmware" },
	{ "XenVMMXenVMM", "xen" },
	{ "bhyve bhyve ", "bhyve" },
	{ "VBoxVBoxVBox", "virtualbox" },
};

static bool option_set(const char *config, const char *name)
{
	char *line = xasprintf("CONFIG_%s=y", name);
	size_t len = strlen(line);
	const char *at = config;
	bool found = false;

	while (!found && (at = strstr(at, line))) {
		found = (at == config || at[-1] == '\n') &&
			(at[len] == '\n' || at[len] == 0);
		at += len;
	}
	free(line);
	return found;
}

char *system_debug_options(bool slow)
{
	char *config = host_config(), *joined, *longer;
	size_t i;

	if (!config)
		return NULL;
	joined = xstrdup("");
	for (i = 0; i < ARRAY_SIZE(debug_options); i++) {
		if ((slow && !debug_options[i].slow) ||
		    !option_set(config, debug_options[i].name))
			continue;
		longer = xasprintf("%s%s%s", joined, *joined ? " " : "",
				   debug_options[i].name);
		free(joined);
		joined = longer;
	}
	free(config);
	return joined;
}

unsigned long system_taint(void)
{
	char *line = host_read_line("/proc/sys/kernel/tainted");
	unsigned long taint = line ? strtoul(line, NULL, 10) : 0;

	free(line);
	return taint;
}

static void describe_taint(struct out *o)
{
	if (host_exists("/proc/sys/kernel/tainted"))
		out_u64(o, "taint", "taint", OUT_PLAIN, system_taint());
	else
		out_null(o, "taint", "taint");
}

/* The value of the first line of /proc/cpuinfo that begins with @name, or NULL. */
static char *cpuinfo(const char *name)
{
	char *text = host_read("/proc/cpuinfo"), *line, *at, *value = NULL;

	if (!text)
		return NULL;
	for (line = strtok_r(text, "\n", &at); line && !value;
	     line = strtok_r(NULL, "\n", &at)) {
		if (strncmp(line, name, strlen(name)))
			continue;
		line = strchr(line, ':');
		if (line)
			value = xstrdup(line + 1 + strspn(line + 1, " \t"));
	}
	free(text);
	return value;
}

static const char *known_accelerator(const char *signature)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if (!strcmp(hypervisors[i].signature, signature))
			return hypervisors[i].accelerator;
	return NULL;
}

/* In order of trust: UML's own word, the processor's, the kernel's, the firmware's. */
static void describe_hypervisor(struct out *o)
{
	char *vendor = cpuinfo("vendor_id"), *model = cpuinfo("model name");
	char *type = host_read_line("/sys/hypervisor/type");
	char *dmi = host_read_line("/sys/class/dmi/id/sys_vendor");
	const char *name = NULL, *accelerator = NULL;
	char signature[13];

	if (vendor && !strcmp(vendor, "User Mode Linux")) {
		name = vendor;
		accelerator = "uml";
	} else if (root_hypervisor(signature)) {
		if (signature[0]) {
			name = signature;
			accelerator = known_accelerator(signature);
		} else {
			accelerator = "none";
		}
	} else if (type) {
		name = type;
		accelerator = type;
	} else if (dmi && !strcmp(dmi, "QEMU")) {
		name = dmi;
	}
	if (model && strstr(model, "QEMU TCG")) {
		name = name ? name : model;
		accelerator = "tcg";
	}
	if (name)
		out_str(o, "hypervisor", "hypervisor", OUT_PLAIN, name);
	else
		out_null(o, "hypervisor", "hypervisor");
	if (accelerator)
		out_str(o, "accelerator", "accelerator", OUT_PLAIN, accelerator);
	else
		out_null(o, "accelerator", "accelerator");
	free(vendor);
	free(model);
	free(type);
	free(dmi);
}

static void describe_debug(struct out *o)
{
	char *joined = system_debug_options(false), *word, *at;

	if (!joined) {
		out_null(o, "debug_options", "debug options");
		return;
	}
	out_list(o, "debug_options", "debug options");
	for (word = strtok_r(joined, " ", &at); word;
	     word = strtok_r(NULL, " ", &at))
		out_str(o, NULL, NULL, OUT_PLAIN, word);
	out_end(o);
	free(joined);
}

/* Adds the machine's members to the open group. */
void system_describe(struct out *o)
{
	struct utsname uts;

	if (uname(&uts) == 0) {
		out_str(o, "kernel", "kernel", OUT_PLAIN, uts.release);
		out_str(o, "version", NULL, OUT_PLAIN, uts.version);
		out_str(o, "machine", "machine", OUT_PLAIN, uts.machine);
	} else {
		out_null(o, "kernel", "kernel");
		out_null(o, "version", NULL);
		out_null(o, "machine", "machine");
	}
	out_s64(o, "cpus", "CPUs", OUT_PLAIN, sysconf(_SC_NPROCESSORS_ONLN));
	describe_taint(o);
	describe_hypervisor(o);
	describe_debug(o);
}
