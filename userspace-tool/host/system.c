// SPDX-License-Identifier: GPL-2.0
/*
 * system: facts about this machine that decide how a result compares with others
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/host.h"
#include "host/mem.h"
#include "host/root.h"
#include "host/system.h"

/* Options that change speed or find more errors; RT changes which code may sleep. */
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

/* Signatures of CPUID 0x40000000, with the accelerator that each implies. */
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

bool system_option_set(const char *config, const char *name)
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
		    !system_option_set(config, debug_options[i].name))
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

bool system_is_guest(void)
{
	char *flags = cpuinfo("flags"), *flag, *at = NULL;
	bool found = false;

	for (flag = flags ? strtok_r(flags, " ", &at) : NULL; flag; flag = strtok_r(NULL, " ", &at))
		found |= !strcmp(flag, "hypervisor");
	free(flags);
	return found;
}

static const char *known_accelerator(const char *signature)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if (!strcmp(hypervisors[i].signature, signature))
			return hypervisors[i].accelerator;
	return NULL;
}

/*
 * The first of these that answers: UML's entry in /proc/cpuinfo, the processor's
 * CPUID, the kernel's /sys/hypervisor, the firmware's DMI.
 */
static void read_hypervisor(struct system *sys)
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
	sys->hypervisor = name ? xstrdup(name) : NULL;
	sys->accelerator = accelerator ? xstrdup(accelerator) : NULL;
	free(vendor);
	free(model);
	free(type);
	free(dmi);
}

void system_read(struct system *sys)
{
	struct utsname uts;

	memset(sys, 0, sizeof(*sys));
	if (uname(&uts) == 0) {
		sys->kernel = xstrdup(uts.release);
		sys->version = xstrdup(uts.version);
		sys->machine = xstrdup(uts.machine);
	}
	sys->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	sys->has_taint = host_exists("/proc/sys/kernel/tainted");
	sys->taint = system_taint();
	read_hypervisor(sys);
	sys->debug_options = system_debug_options(false);
}

void system_free(struct system *sys)
{
	free(sys->kernel);
	free(sys->version);
	free(sys->machine);
	free(sys->hypervisor);
	free(sys->accelerator);
	free(sys->debug_options);
}
