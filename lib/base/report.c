// SPDX-License-Identifier: GPL-2.0
/*
 * Reports
 *
 * A message in the kernel's log for each wrong free that was refused, each damage that was found,
 * and each request of a caller that was refused for its arguments or state. The last report is also
 * kept, so that it can be read later.
 *
 * Structures
 *
 *	begin, add, end --> entry WAITING --> PRINTING --> FREE
 *	   under reports.lock                 no lock
 *
 * A zone has MYALLOC_REPORTS entries. A report is written into a FREE entry, under the lock, and
 * is printed from there without a lock. An entry holds the text and the code addresses that the
 * report names. Addresses are turned into symbols when the report is printed or read, so writing
 * a report takes little time and memory even in an NMI. Each report has room for its longest text,
 * and symbols are inserted one at a time while it is printed, so no report is truncated. A report
 * longer than the kernel prints in one record is printed in several.
 *
 * Where reports are printed. The console may wake up a task, which takes the lock of a run queue.
 * The caller of a free may hold that lock, or a lock of the zone, so printing there could
 * deadlock. Therefore a report is printed at once only if the caller is preemptible, which
 * excludes all holders of a raw spinlock. In every other context a hard interrupt prints it as
 * soon as interrupts are enabled (irq_work, which may be queued from NMI and under any lock). The
 * code that it interrupts holds no lock that requires interrupts off. So callers need not know
 * which locks are held, and need not pass a report down to code that may print it.
 * Why not printk_deferred(): it is not exported to modules.
 *
 * Rate limit. At most MYALLOC_REPORT_BURST reports are printed in MYALLOC_REPORT_INTERVAL for
 * each zone, the defaults of ___ratelimit(). That function itself prints a message of its own
 * and, in some kernels, hides its count from modules. Further reports are suppressed: they are
 * counted, and the next report that is printed says how many. A report is also suppressed if, in
 * NMI, the lock is held, or if no entry is FREE. The counters of wrong frees and damage count
 * suppressed reports too.
 *
 * Invariants
 *	N1  Only the context that found an entry WAITING and made it PRINTING reads it without the
 *	    lock.
 *	N2  reports made = reports printed or waiting + reports suppressed. (A list that may be
 *	    printed, myalloc_report_may(), counts as one that is.)
 *
 * Bounds: writing a report formats at most MYALLOC_REPORT_WORDS characters under the lock. A hard
 * interrupt prints at most MYALLOC_REPORT_BURST reports in each interval.
 */
#include "env.h"
#include "base/lock.h"
#include "base/report.h"

/*
 * Characters of a report per record; the kernel truncates a record at 1,024, its prefix included.
 */
#define RECORD	800

/* Returns the entry that has waited longest, now PRINTING; NULL if none waits. */
static struct myalloc_report *next_waiting(struct myalloc_reports *r)
{
	struct myalloc_report *next = NULL;
	unsigned long irq;
	unsigned int i;

	raw_spin_lock_irqsave(&r->lock, irq);
	for (i = 0; i < MYALLOC_REPORTS; i++) {
		struct myalloc_report *report = &r->report[i];

		if (report->state == MYALLOC_REPORT_WAITING &&
		    (!next || report->ticket < next->ticket))
			next = report;
	}
	if (next)
		next->state = MYALLOC_REPORT_PRINTING;
	raw_spin_unlock_irqrestore(&r->lock, irq);
	return next;
}

/*
 * Inserts the symbols into a report, and copies what comes after the first @skip characters.
 * Returns the number of characters written. Only one symbol at a time is on the stack.
 */
static u32 expand(const struct myalloc_report *report, u32 skip, char *buf, size_t size)
{
	char symbol[MYALLOC_ENV_SYMBOL];
	u32 from, len, at = 0, to = 0, nr = 0;
	const char *piece;

	for (from = 0; from < report->len && to < size - 1; from++) {
		piece = &report->text[from];
		len = 1;
		if (*piece == MYALLOC_REPORT_MARK) {
			len = myalloc_env_symbol(symbol, sizeof(symbol), report->caller[nr++]);
			piece = symbol;
		}
		for (; len && to < size - 1; len--, piece++)
			if (at++ >= skip)
				buf[to++] = *piece;
	}
	buf[to] = '\0';
	return to;
}

/* Prints all waiting reports. Context: any but NMI, no lock held. */
static void print_waiting(struct myalloc_reports *r)
{
	char text[RECORD + 1];
	struct myalloc_report *report;
	unsigned long irq;
	u32 at;

	while ((report = next_waiting(r))) {
		if (report->missed)
			pr_err("%s: %u report%s suppressed\n", r->name, report->missed,
			       myalloc_s(report->missed));
		for (at = 0; expand(report, at, text, sizeof(text)); at += RECORD)
			pr_err("%s: %s\n", r->name, text);
		raw_spin_lock_irqsave(&r->lock, irq);
		report->state = MYALLOC_REPORT_FREE;
		raw_spin_unlock_irqrestore(&r->lock, irq);
	}
}

static void print_deferred(struct myalloc_env_print *print)
{
	print_waiting(container_of(print, struct myalloc_reports, print));
}

/**
 * myalloc_reports_init() - initialise the reports of a zone
 * @r: zeroed memory
 * @name: name of the zone, not copied
 *
 * Context: any.
 */
void myalloc_reports_init(struct myalloc_reports *r, const char *name)
{
	raw_spin_lock_init(&r->lock);
	r->name = name;
	r->burst = MYALLOC_REPORT_BURST;
	r->last = &r->report[0];
	myalloc_env_print_init(&r->print, print_deferred);
}

/**
 * myalloc_reports_fini() - wait until all reports are printed
 * @r: the reports of a zone
 *
 * Context: task, may sleep.
 */
void myalloc_reports_fini(struct myalloc_reports *r)
{
	myalloc_env_print_sync(&r->print);
}

/* Lock held. Returns the FREE entry with the oldest report; NULL if no entry is FREE. */
static struct myalloc_report *free_entry(struct myalloc_reports *r)
{
	struct myalloc_report *entry = NULL;
	unsigned int i;

	for (i = 0; i < MYALLOC_REPORTS; i++) {
		struct myalloc_report *report = &r->report[i];

		if (report->state == MYALLOC_REPORT_FREE &&
		    (!entry || report->ticket < entry->ticket))
			entry = report;
	}
	return entry;
}

/**
 * myalloc_report_begin() - begin a report
 * @r: the reports of a zone
 * @irq: out: the interrupt state, for myalloc_report_end()
 *
 * Context: any.
 * Return: the report, with interrupts off until the caller ends it by myalloc_report_end(); NULL
 * if the report is suppressed, then the caller must not end it.
 */
struct myalloc_report *myalloc_report_begin(struct myalloc_reports *r, unsigned long *irq)
{
	struct myalloc_report *report;

	if (!myalloc_lock(&r->lock, irq)) {
		atomic64_inc(&r->suppressed);
		return NULL;
	}
	report = free_entry(r);
	if (!report) {
		atomic64_inc(&r->suppressed);
		raw_spin_unlock_irqrestore(&r->lock, *irq);
		return NULL;
	}
	report->len = 0;
	report->nr_callers = 0;
	__release(&r->lock);	/* for sparse: it is held until myalloc_report_end() */
	return report;
}

/**
 * myalloc_report_vadd() - append text to a report
 * @report: from myalloc_report_begin()
 * @fmt: format, without a newline
 * @args: arguments of @fmt
 *
 * Context: any, between begin and end.
 */
void myalloc_report_vadd(struct myalloc_report *report, const char *fmt, va_list args)
{
	report->len += vscnprintf(report->text + report->len, sizeof(report->text) - report->len,
				  fmt, args);
}

/**
 * myalloc_report_add() - append text to a report
 * @report: from myalloc_report_begin()
 * @fmt: format, without a newline
 *
 * Context: any, between begin and end.
 */
void myalloc_report_add(struct myalloc_report *report, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	myalloc_report_vadd(report, fmt, args);
	va_end(args);
}

/**
 * myalloc_report_symbol() - append the symbol of a code address to a report
 * @report: from myalloc_report_begin(), with fewer than MYALLOC_REPORT_CALLERS symbols
 * @caller: the address
 *
 * Context: any, between begin and end.
 */
void myalloc_report_symbol(struct myalloc_report *report, unsigned long caller)
{
	report->caller[report->nr_callers++] = caller;
	myalloc_report_add(report, "%c", MYALLOC_REPORT_MARK);
}

/**
 * myalloc_report_freed() - append the address, the caller and the context of a wrong free
 * @report: from myalloc_report_begin(), with fewer than MYALLOC_REPORT_CALLERS symbols
 * @addr: the address that was passed to the free
 * @caller: code address of the user that frees it
 *
 * The kernel prints a hash of the address, unless it was booted with no_hash_pointers.
 *
 * Context: any, between begin and end.
 */
void myalloc_report_freed(struct myalloc_report *report, const void *addr, unsigned long caller)
{
	char who[MYALLOC_ENV_WHO];

	myalloc_env_who(who, sizeof(who));
	myalloc_report_add(report, "; address %p, freed now by ", addr);
	myalloc_report_symbol(report, caller);
	myalloc_report_add(report, " %s", who);
}

/* Lock held. Does one more report exceed the rate limit? */
static bool too_many(struct myalloc_reports *r)
{
	u64 now = myalloc_env_now_ns();

	if (!myalloc_env_ratelimit())
		return false;
	if (now - r->begin >= MYALLOC_REPORT_INTERVAL) {
		r->begin = now;
		r->nr = 0;
	}
	if (r->nr >= r->burst)
		return true;
	r->nr++;
	return false;
}

/**
 * myalloc_report_end() - complete a report, and print it now or soon
 * @r: the reports of a zone
 * @report: from myalloc_report_begin()
 * @irq: from myalloc_report_begin()
 *
 * Context: any; restores the interrupt state.
 */
void myalloc_report_end(struct myalloc_reports *r, struct myalloc_report *report,
			unsigned long irq)
{
	__acquire(&r->lock);	/* for sparse: since myalloc_report_begin() */
	report->ticket = ++r->ticket;
	r->last = report;
	if (too_many(r)) {
		atomic64_inc(&r->suppressed);
		raw_spin_unlock_irqrestore(&r->lock, irq);
		return;
	}
	report->missed = atomic64_read(&r->suppressed) - r->announced;
	r->announced += report->missed;
	report->state = MYALLOC_REPORT_WAITING;
	raw_spin_unlock_irqrestore(&r->lock, irq);
	if (preemptible())
		print_waiting(r);
	else
		myalloc_env_defer_print(&r->print);
}

/**
 * myalloc_report_may() - may something be printed that is longer than a report?
 * @r: the reports of a zone
 *
 * The caller prints it at once, and it counts as one report for the rate limit.
 *
 * Context: task.
 * Return: true; false if it exceeds the rate limit, and is counted as suppressed.
 */
bool myalloc_report_may(struct myalloc_reports *r)
{
	unsigned long irq;
	bool may;

	raw_spin_lock_irqsave(&r->lock, irq);
	may = !too_many(r);
	if (!may)
		atomic64_inc(&r->suppressed);
	raw_spin_unlock_irqrestore(&r->lock, irq);
	return may;
}

/**
 * myalloc_report_last() - copy the text of the last report
 * @r: the reports of a zone
 * @buf: out: NUL-terminated, empty if there was no report
 * @size: bytes in @buf
 *
 * Context: any but NMI.
 */
void myalloc_report_last(struct myalloc_reports *r, char *buf, size_t size)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&r->lock, irq);
	expand(r->last, 0, buf, size);
	raw_spin_unlock_irqrestore(&r->lock, irq);
}
