/* SPDX-License-Identifier: GPL-2.0 */
/* Reports: messages about errors found in a zone. See report.c. */
#ifndef MYALLOC_REPORT_H
#define MYALLOC_REPORT_H

/*
 * Bytes of the text of the longest report (312), which names two caches (31 each), five numbers (11
 * each), an address (18) and who freed it (50); the most symbols in a report: who allocated it, who
 * freed it before, and who frees it now; and the bytes of a report with its symbols.
 */
#define MYALLOC_REPORT_WORDS	320
#define MYALLOC_REPORT_CALLERS	3
#define MYALLOC_REPORT_SIZE	(MYALLOC_REPORT_WORDS + MYALLOC_REPORT_CALLERS * MYALLOC_ENV_SYMBOL)

/* Entries of a zone: reports that wait to be printed, and the last report. */
#define MYALLOC_REPORTS		4

/* Rate limit: reports printed per interval, and its length */
#define MYALLOC_REPORT_BURST	10
#define MYALLOC_REPORT_INTERVAL	5000000000ULL	/* ns */

enum myalloc_report_state {
	MYALLOC_REPORT_FREE = 0,	/* may be overwritten */
	MYALLOC_REPORT_WAITING,		/* not printed yet */
	MYALLOC_REPORT_PRINTING,	/* read without the lock by the context that prints it */
};

/**
 * struct myalloc_report - a report
 * @state: enum myalloc_report_state
 * @nr_callers: number of addresses in @caller
 * @len: characters in @text
 * @missed: number of reports suppressed since the last one that was printed
 * @ticket: sequence number
 * @caller: code addresses that the report names
 * @text: NUL-terminated, with MYALLOC_REPORT_MARK in place of each symbol
 */
struct myalloc_report {
	u8 state;
	u8 nr_callers;
	u16 len;
	u32 missed;
	u64 ticket;
	unsigned long caller[MYALLOC_REPORT_CALLERS];
	char text[MYALLOC_REPORT_WORDS];
};

/**
 * myalloc_s() - the ending of a noun after its number: "1 page", "2 pages"
 * @number: the number
 *
 * Context: any.
 * Return: "s", or nothing after 1.
 */
static inline const char *myalloc_s(u64 number)
{
	return number == 1 ? "" : "s";
}

/**
 * myalloc_are() - the verb after a number and its noun
 * @number: the number
 *
 * Context: any.
 * Return: "are", or "is" after 1.
 */
static inline const char *myalloc_are(u64 number)
{
	return number == 1 ? "is" : "are";
}

#define MYALLOC_REPORT_MARK	0x01	/* stands for a symbol in the text */

/**
 * struct myalloc_reports - the reports of a zone
 * @lock: protects the members below, except the text of a PRINTING entry
 * @name: name of the zone
 * @burst: maximum number of reports printed per interval
 * @nr: reports printed in this interval
 * @begin: beginning of this interval, ns
 * @announced: the part of @suppressed that printed reports have mentioned
 * @ticket: sequence number of the last report
 * @last: the last report; its entry is the last to be overwritten
 * @report: the entries
 * @suppressed: number of reports that were not printed
 * @print: prints from a hard interrupt
 */
struct myalloc_reports {
	raw_spinlock_t lock;
	const char *name;
	u32 burst;
	u32 nr;
	u64 begin;
	u64 announced;
	u64 ticket;
	struct myalloc_report *last;
	struct myalloc_report report[MYALLOC_REPORTS];
	atomic64_t suppressed;
	struct myalloc_env_print print;
};

void myalloc_reports_init(struct myalloc_reports *r, const char *name);
void myalloc_reports_fini(struct myalloc_reports *r);

/* A report is begun, appended to and ended. */
struct myalloc_report *myalloc_report_begin(struct myalloc_reports *r, unsigned long *irq);
__printf(2, 3)
void myalloc_report_add(struct myalloc_report *report, const char *fmt, ...);
__printf(2, 0)
void myalloc_report_vadd(struct myalloc_report *report, const char *fmt, va_list args);
void myalloc_report_symbol(struct myalloc_report *report, unsigned long caller);
void myalloc_report_freed(struct myalloc_report *report, const void *addr, unsigned long caller);
void myalloc_report_end(struct myalloc_reports *r, struct myalloc_report *report,
			unsigned long irq);
bool myalloc_report_may(struct myalloc_reports *r);
void myalloc_report_last(struct myalloc_reports *r, char *buf, size_t size);

#endif /* MYALLOC_REPORT_H */
