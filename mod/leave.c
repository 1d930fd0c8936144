// SPDX-License-Identifier: GPL-2.0
/*
 * Unloaded modules: report memory that they have not freed
 *
 * The kernel calls a notifier after a module's exit function has returned and before its code is
 * freed, so its symbols still have names. The notifier first looks for the module's clients, by
 * owner or, if they have none, by the code that created them, and marks them as gone. Then it looks
 * for memory without a client that came from the module's code, or from its init code, which is
 * free by then (gone.c): caches, heaps and other fronts, blocks and tracked objects. All of it
 * stays as it is.
 *
 * Limit: memory that another module has left without a client is attributed to this one if its code
 * lay at the same addresses. Memory of the module's init code is not reported if other code is
 * there now, or if init code of a module that is still loaded was there.
 */
#include "env.h"

#include <linux/module.h>

#include "client/client.h"
#include "client/makers.h"
#include "client/sites.h"
#include "gone.h"
#include "leave.h"
#include "zone/nodes.h"

static struct myalloc_nodes *nodes;

static bool is_code(unsigned long ip, const void *of)
{
	const struct module *module = of;

	return within_module(ip, module) || myalloc_gone_init_of(ip, module->name);
}

/* Keep only the call sites in the code of a module, in their order. */
static void keep_own(struct myalloc_sites *sites, const struct module *module)
{
	u32 i, nr = 0;

	for (i = 0; i < sites->nr; i++)
		if (is_code(sites->site[i].caller, module))
			sites->site[nr++] = sites->site[i];
	sites->nr = nr;
}

static void report(struct myalloc_zone *zone, const struct module *module,
		   const struct myalloc_leaver *leaver)
{
	struct myalloc_sites sites;

	myalloc_makers_report(zone, leaver, MYALLOC_CLIENT_SITES);
	if (myalloc_sites_collect(&sites, zone, &myalloc_no_client, 0))
		return;
	keep_own(&sites, module);
	if (sites.nr)
		pr_err("module %s is gone and has left memory behind\n", module->name);
	myalloc_sites_print(&sites, "module", module->name, MYALLOC_CLIENT_SITES);
	myalloc_sites_free(&sites);
}

static int left(struct notifier_block *unused, unsigned long state, void *data)
{
	const struct module *module = data;
	char words[MYALLOC_CLIENT_OWNER];
	const struct myalloc_leaver leaver = {
		.owner = module, .words = words, .is_code = is_code };
	u32 i;

	if (state != MODULE_STATE_GOING || module == THIS_MODULE)
		return NOTIFY_DONE;
	scnprintf(words, sizeof(words), "module %s", module->name);
	for (i = 0; i < nodes->nr_zones; i++) {
		myalloc_client_orphan(nodes->zone[i].zone, &leaver);
		report(nodes->zone[i].zone, module, &leaver);
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = left };

/**
 * myalloc_leave_init() - watch modules leave
 * @of: the zones of the module
 *
 * Context: task, may sleep.
 * Return: 0, or the error of register_module_notifier().
 */
int myalloc_leave_init(struct myalloc_nodes *of)
{
	nodes = of;
	return register_module_notifier(&notifier);
}

/**
 * myalloc_leave_exit() - no longer watch modules
 *
 * Context: task, may sleep.
 */
void myalloc_leave_exit(void)
{
	unregister_module_notifier(&notifier);
}
