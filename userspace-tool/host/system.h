/* SPDX-License-Identifier: GPL-2.0 */
/*
 * system: facts about this machine that decide how a result compares with others
 */
#ifndef MYALLOCCTL_SYSTEM_H
#define MYALLOCCTL_SYSTEM_H

#include <stdbool.h>

/*
 * @kernel, @version, @machine: as uname -r, -v and -m print them
 * @cpus: online
 * @has_taint: /proc/sys/kernel/tainted can be read, and @taint is its value
 * @hypervisor: the name that the processor or the firmware gives
 * @accelerator: "kvm", "tcg", "uml", "none" and others
 * @debug_options: CONFIG_ names without the prefix, joined by spaces
 *
 * A string is NULL if it is not known.
 */
struct system {
	char *kernel;
	char *version;
	char *machine;
	long cpus;
	bool has_taint;
	unsigned long taint;
	char *hypervisor;
	char *accelerator;
	char *debug_options;
};

void system_read(struct system *sys);
void system_free(struct system *sys);
/*
 * The kernel's debug options that are set, joined by spaces; with @slow only those
 * that change speed much. NULL if the configuration cannot be read.
 */
char *system_debug_options(bool slow);
/* Is CONFIG_@name set to y in this text of a configuration? */
bool system_option_set(const char *config, const char *name);
/* Does the kernel of an x86 machine know that it runs on a hypervisor? */
bool system_is_guest(void);
unsigned long system_taint(void);

#define TAINT_DIE	(1ul << 7)	/* D: an oops or BUG happened */
#define TAINT_WARN	(1ul << 9)	/* W: a WARN happened */

#endif /* MYALLOCCTL_SYSTEM_H */
