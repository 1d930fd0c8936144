// SPDX-License-Identifier: GPL-2.0
/*
 * doctor_locks: are the kernel's spinlocks fair?
 *
 * A contract bounds the time of a request by the number of holds of a lock that it waits for. That
 * bound is valid only if the lock is granted in the order of arrival. An x86 kernel with
 * CONFIG_PARAVIRT takes locks in no order once it sees a hypervisor, unless that offers paravirtual
 * locks, which KVM, Hyper-V and Xen may do, and the kernel has them (CONFIG_PARAVIRT_SPINLOCKS).
 * These are queued, but while the first waiter's CPU is halted, one that comes later may steal the
 * lock (kernel/locking/qspinlock_paravirt.h): no waiter starves, yet the number of holds that a
 * request waits for may be exceeded. The kernel logs which of these applies. If neither the
 * configuration nor the log shows it, there is no finding.
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/mem.h"
#include "host/system.h"
#include "obj/doctor_parts.h"

/* Hypervisors for which no kernel has paravirtual locks. */
static const char *const without[] = { "tcg", "vmware", "bhyve", "virtualbox" };

static bool is_without(void)
{
	struct system sys;
	bool found = false;
	size_t i;

	system_read(&sys);
	for (i = 0; sys.accelerator && i < ARRAY_SIZE(without); i++)
		found |= !strcmp(sys.accelerator, without[i]);
	system_free(&sys);
	return found;
}

static bool log_says(const char *log, const char *text)
{
	return log && strstr(log, text);
}

/* The reason why the locks are not fair, or NULL if they may be. */
static const char *unfair(const char *config, const char *log)
{
	if (!system_option_set(config, "PARAVIRT"))
		return NULL;
	if (!system_option_set(config, "PARAVIRT_SPINLOCKS"))
		return "the kernel is without CONFIG_PARAVIRT_SPINLOCKS";
	if (log_says(log, "PV spinlocks disabled, no host support") ||
	    log_says(log, "Hyper-V: PV spinlocks disabled") || is_without())
		return "the hypervisor does not offer paravirtual ones";
	return NULL;
}

static bool one_cpu(void)
{
	char *possible = host_read_line("/sys/devices/system/cpu/possible");
	bool one = possible && !strcmp(possible, "0");

	free(possible);
	return one;
}

void doctor_locks(struct doctor *doc)
{
	char *config = system_is_guest() && !one_cpu() ? host_config() : NULL, *log, *text;
	const char *why;

	if (!config)
		return;
	log = host_kernel_log();
	why = unfair(config, log);
	if (why) {
		text = xasprintf("spinlocks are not fair on this virtual machine (%s): how long a request of a contract waits for a lock has no bound",
				 why);
		doctor_finding(doc, "locks", NOTE, text,
			       "for time bounds, use a machine without a hypervisor, a kernel without CONFIG_PARAVIRT, or one with CONFIG_PARAVIRT_SPINLOCKS on a host that has them (KVM: kvm-pv-unhalt)");
		free(text);
	} else if (log_says(log, "PV spinlocks enabled")) {
		doctor_finding(doc, "locks", OK,
			       "this virtual machine has paravirtual spinlocks: they are fair but for a CPU that steals a lock while the first waiter sleeps, and the time bound of a contract holds without that",
			       NULL);
	}
	free(log);
	free(config);
}
