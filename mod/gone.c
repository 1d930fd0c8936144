// SPDX-License-Identifier: GPL-2.0
/*
 * Names of code in unloaded modules
 *
 * A report or a list of owners may name code that called the allocator long ago. If its module has
 * been unloaded since, or if the code was part of a module's initialisation, which is freed after
 * it has run, the kernel no longer knows the address. So the ranges of such code are recorded just
 * before they are freed, and an address in one of them is printed as the module's name and the
 * offset in its code. objdump or addr2line of the module's file finds the function by that.
 *
 * Limits: the last GONE ranges are kept. If another module has been loaded at the same address
 * since, its name is printed. Modules that went before this one was loaded are unknown.
 *
 * Locking: lock serialises writers, and seq lets readers in any context, also in an NMI, detect
 * that an entry is being changed.
 */
#include "env.h"

#include <linux/module.h>
#include <linux/seqlock.h>

#include "compat.h"
#include "gone.h"

#define GONE	128

static struct gone_range {
	unsigned long base;
	unsigned long size;
	bool init;
	bool left;	/* the module has been unloaded since */
	char name[MODULE_NAME_LEN];
} gone[GONE];
static u32 nr_gone;	/* ranges recorded so far; the last one is at (nr_gone - 1) % GONE */

static DEFINE_RAW_SPINLOCK(lock);
static seqcount_t seq = SEQCNT_ZERO(seq);

static void note(const struct module *mod, bool init)
{
	unsigned long base, irq, size = myalloc_compat_module_text(mod, init, &base);
	u32 i;

	if (!size)
		return;
	raw_spin_lock_irqsave(&lock, irq);
	write_seqcount_begin(&seq);
	i = nr_gone++ % GONE;
	gone[i].base = base;
	gone[i].size = size;
	gone[i].init = init;
	gone[i].left = false;
	strscpy(gone[i].name, mod->name, sizeof(gone[i].name));
	write_seqcount_end(&seq);
	raw_spin_unlock_irqrestore(&lock, irq);
}

static void note_left(const struct module *mod)
{
	unsigned long irq;
	u32 i;

	raw_spin_lock_irqsave(&lock, irq);
	write_seqcount_begin(&seq);
	for (i = 0; i < min_t(u32, nr_gone, GONE); i++)
		if (!strcmp(gone[i].name, mod->name))
			gone[i].left = true;
	write_seqcount_end(&seq);
	raw_spin_unlock_irqrestore(&lock, irq);
}

/* Init code is freed after a module was initialised, and all of its code when it is unloaded. */
static int on_module(struct notifier_block *nb, unsigned long state, void *mod)
{
	if (state == MODULE_STATE_LIVE || state == MODULE_STATE_GOING)
		note(mod, true);
	if (state == MODULE_STATE_GOING) {
		note(mod, false);
		note_left(mod);
	}
	return NOTIFY_OK;
}

static struct notifier_block modules = { .notifier_call = on_module };

/* Does the address lie in code of the kernel or of a module that is loaded now? */
static bool is_there(unsigned long ip)
{
	char symbol[4];

	scnprintf(symbol, sizeof(symbol), "%pS", (void *)ip);
	return symbol[0] != '0' || symbol[1] != 'x';
}

/*
 * Does the address lie in the freed init code of another module that is still loaded? That of this
 * module does not matter, as it allocates nothing.
 */
static bool is_of_another(unsigned long ip, const char *name)
{
	unsigned int began;
	bool found;
	u32 i;

	do {
		began = read_seqcount_begin(&seq);
		found = false;
		for (i = 0; i < min_t(u32, nr_gone, GONE); i++)
			if (gone[i].init && !gone[i].left && ip - gone[i].base < gone[i].size &&
			    strcmp(gone[i].name, name) && strcmp(gone[i].name, KBUILD_MODNAME))
				found = true;
	} while (read_seqcount_retry(&seq, began));
	return found;
}

/*
 * Copy the last range that contains the address. Returns 0; -ENOENT if none does; -EAGAIN if one is
 * being recorded: the caller may have interrupted the writer, so it must not wait.
 */
static int find(unsigned long ip, struct gone_range *range)
{
	unsigned int began = raw_seqcount_begin(&seq);
	u32 nr = min_t(u32, READ_ONCE(nr_gone), GONE), k;
	int err = -ENOENT;

	for (k = 1; k <= nr && err; k++) {
		*range = gone[(nr_gone - k) % GONE];
		if (ip - range->base < range->size)
			err = 0;
	}
	return read_seqcount_retry(&seq, began) ? -EAGAIN : err;
}

/**
 * myalloc_gone_init_of() - is this an address in the freed init code of a module?
 * @ip: a code address
 * @name: name of the module
 *
 * An allocation from there may belong to another module, whose code is there now, or whose init
 * code was there earlier. If that module is still loaded, the allocation is not a leak.
 *
 * Context: task.
 * Return: true if it is, and is not known to have belonged to another module since, or to one that
 * is still loaded.
 */
bool myalloc_gone_init_of(unsigned long ip, const char *name)
{
	struct gone_range range;
	int err;

	do {
		err = find(ip, &range);
	} while (err == -EAGAIN);
	return !err && range.init && !strcmp(range.name, name) && !is_there(ip) &&
	       !is_of_another(ip, name);
}

/**
 * myalloc_gone_symbol() - format the symbol of a code address
 * @buf: out: the symbol, NUL-terminated
 * @size: bytes in @buf, not 0
 * @ip: the address
 *
 * Like "%pS", but an address in an unloaded module is printed with the module's name instead of as
 * a bare number: "0x43/0x1000 [frob, unloaded]".
 *
 * Context: any.
 * Return: characters written, without the NUL.
 */
int myalloc_gone_symbol(char *buf, size_t size, unsigned long ip)
{
	int len = scnprintf(buf, size, "%pS", (void *)ip);
	struct gone_range range;

	if (len < 2 || buf[0] != '0' || buf[1] != 'x' || find(ip, &range))
		return len;
	return scnprintf(buf, size, "0x%lx/0x%lx [%s, %s]", ip - range.base, range.size,
			 range.name, range.init ? "its init code" : "unloaded");
}

/**
 * myalloc_gone_init() - begin to record modules that are unloaded
 *
 * Context: task, may sleep.
 * Return: 0, or the error of the kernel.
 */
int myalloc_gone_init(void)
{
	return register_module_notifier(&modules);
}

/**
 * myalloc_gone_exit() - end the recording
 *
 * Context: task, may sleep.
 */
void myalloc_gone_exit(void)
{
	unregister_module_notifier(&modules);
}

#if IS_ENABLED(CONFIG_KUNIT)
MYALLOC_EXPORT_NS(myalloc_gone_symbol, MYALLOC_INTERNAL);
#endif
