// SPDX-License-Identifier: GPL-2.0
/*
 * Reports
 *
 * What it is: a sentence for each wrong free that was refused and each damage that was found,
 * in the kernel's log. The last one is also kept for who asks.
 *
 * Structures
 *
 *	begin, add, end --> entry WAITING --> PRINTING --> FREE
 *	   under reports.lock                 no lock
 *
 * A zone has MYALLOC_REPORTS entries. A report is written into one that is FREE, under the lock,
 * and printed without any lock from there. An entry has the words, and the code addresses that
 * the report names: their names are put in when it is printed or read, so writing a report takes
 * little time and memory even where it is done in an NMI. All buffers have room for the longest
 * names, so nothing is cut. What is longer than the kernel prints in one record is printed in
 * several.
 *
 * Where it is printed. The console may wake up a task, which takes the lock of a run queue. The
 * caller of a free may hold that lock, or a lock of the zone, so printing there could deadlock.
 * Therefore a report is printed at once only if the caller is preemptible, which nobody is who
 * holds a raw lock. In every other context a hard interrupt prints it as soon as interrupts are
 * on (irq_work, which may be queued from NMI and under any lock). What it interrupts holds no
 * lock that needs interrupts off. Callers therefore need not know which locks are held, and none
 * passes a report down.
 * Why not printk_deferred(): it is not exported to modules.
 *
 * How many. At most MYALLOC_REPORT_BURST in MYALLOC_REPORT_INTERVAL for each zone, as
 * ___ratelimit() does by default; that one prints its own words and hides its count from modules
 * of some kernels. Others are suppressed: counted, told of by the next one that is printed. Also
 * suppressed is what finds the lock taken in NMI, or no entry FREE. Counters of wrong frees and
 * damage count each.
 *
 * Invariants
 *	N1  Only who found an entry WAITING and made it PRINTING reads it without the lock.
 *	N2  reports made = printed or waiting + suppressed.
 *
 * Bounds: writing a report formats at most MYALLOC_REPORT_WORDS characters under the lock. A hard
 * interrupt prints at most MYALLOC_REPORT_BURST reports in each interval.
 */
#include "env.h"
#include "base/lock.h"
#include "base/report.h"

/* Characters of a report in one record; the kernel cuts at 1,024 with what it adds. */
#define RECORD	800

/* The entry of the report that has waited longest, now PRINTING; NULL if none waits. */
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

/* The report with the names of its callers; returns characters written. */
static u32 expand(const struct myalloc_report *report, char *buf, size_t size)
{
	u32 from, to = 0, nr = 0;

	for (from = 0; from < report->len && to < size - 1; from++) {
		if (report->text[from] == MYALLOC_REPORT_MARK)
			to += myalloc_env_symbol(buf + to, size - to, report->caller[nr++]);
		else
			buf[to++] = report->text[from];
	}
	buf[to] = '\0';
	return to;
}

/* Prints what waits. Context: any but NMI, no lock held. */
static void print_waiting(struct myalloc_reports *r)
{
	char text[MYALLOC_REPORT_SIZE];
	struct myalloc_report *report;
	unsigned long irq;
	u32 at, len;

	while ((report = next_waiting(r))) {
		if (report->missed)
			pr_err("%s: %llu reports suppressed\n", r->name,
			       (unsigned long long)report->missed);
		len = expand(report, text, sizeof(text));
		for (at = 0; at < len; at += RECORD)
			pr_err("%s: %.*s\n", r->name, RECORD, text + at);
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
 * myalloc_reports_init() - prepare the reports of a zone
 * @r: zeroed
 * @name: of the zone, not copied
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
 * myalloc_reports_fini() - wait until everything is printed
 * @r: the reports
 *
 * Context: task, may sleep.
 */
void myalloc_reports_fini(struct myalloc_reports *r)
{
	myalloc_env_print_sync(&r->print);
}

/* Lock held. The FREE entry with the oldest report; NULL if there is none. */
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
 * @irq: for myalloc_report_end()
 *
 * Context: any.
 * Return: the report, to be ended by myalloc_report_end(); until then interrupts are off. NULL
 * if it is suppressed: then there is nothing to end.
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
	return report;
}

/**
 * myalloc_report_vadd() - add words to a report
 * @report: from myalloc_report_begin()
 * @fmt: format, without a newline
 * @args: its arguments
 */
void myalloc_report_vadd(struct myalloc_report *report, const char *fmt, va_list args)
{
	report->len += vscnprintf(report->text + report->len, sizeof(report->text) - report->len,
				  fmt, args);
}

/**
 * myalloc_report_add() - add words to a report
 * @report: from myalloc_report_begin()
 * @fmt: format, without a newline
 */
void myalloc_report_add(struct myalloc_report *report, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	myalloc_report_vadd(report, fmt, args);
	va_end(args);
}

/**
 * myalloc_report_symbol() - add the name of a code address to a report
 * @report: from myalloc_report_begin(), with less than MYALLOC_REPORT_CALLERS of them
 * @caller: the address
 */
void myalloc_report_symbol(struct myalloc_report *report, unsigned long caller)
{
	report->caller[report->nr_callers++] = caller;
	myalloc_report_add(report, "%c", MYALLOC_REPORT_MARK);
}

/* Lock held. Is it one too many? */
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
 * myalloc_report_end() - keep a report, and print it now or soon
 * @r: the reports of a zone
 * @report: from myalloc_report_begin()
 * @irq: from myalloc_report_begin()
 */
void myalloc_report_end(struct myalloc_reports *r, struct myalloc_report *report,
			unsigned long irq)
{
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
 * myalloc_report_last() - the last report in words
 * @r: the reports of a zone
 * @buf: out: NUL-terminated, empty if there was none
 * @size: bytes in @buf
 *
 * Context: any but NMI.
 */
void myalloc_report_last(struct myalloc_reports *r, char *buf, size_t size)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&r->lock, irq);
	expand(r->last, buf, size);
	raw_spin_unlock_irqrestore(&r->lock, irq);
}
