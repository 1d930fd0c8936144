/* SPDX-License-Identifier: GPL-2.0 */
/* Reports: sentences about what is wrong in a zone. See report.c. */
#ifndef MYALLOC_REPORT_H
#define MYALLOC_REPORT_H

/*
 * Bytes of the words of the longest report, which names two caches (32 each) and seven numbers
 * (11 each); how many symbols it has; and bytes of all of it.
 */
#define MYALLOC_REPORT_WORDS	320
#define MYALLOC_REPORT_CALLERS	2
#define MYALLOC_REPORT_SIZE	(MYALLOC_REPORT_WORDS + MYALLOC_REPORT_CALLERS * MYALLOC_ENV_SYMBOL)

/* Reports that wait to be printed, at most, with the last one. */
#define MYALLOC_REPORTS		4

/* Reports of a zone that are printed in each interval. */
#define MYALLOC_REPORT_BURST	10
#define MYALLOC_REPORT_INTERVAL	5000000000ULL	/* ns */

enum myalloc_report_state {
	MYALLOC_REPORT_FREE = 0,	/* may be written over */
	MYALLOC_REPORT_WAITING,		/* to be printed */
	MYALLOC_REPORT_PRINTING,	/* read by who prints it, without the lock */
};

/**
 * struct myalloc_report - a report
 * @state: enum myalloc_report_state
 * @nr_callers: of @caller
 * @len: characters in @text
 * @ticket: grows from report to report
 * @missed: reports suppressed since the last one that is printed
 * @caller: code addresses that the report names
 * @text: NUL-terminated, with MYALLOC_REPORT_MARK where the name of the next caller is to be
 */
struct myalloc_report {
	u8 state;
	u8 nr_callers;
	u32 len;
	u64 ticket;
	u64 missed;
	unsigned long caller[MYALLOC_REPORT_CALLERS];
	char text[MYALLOC_REPORT_WORDS];
};

#define MYALLOC_REPORT_MARK	'\001'

/**
 * struct myalloc_reports - the reports of a zone
 * @lock: protects the members below, but not the text of what is PRINTING
 * @name: of the zone
 * @burst: reports printed in each interval at most
 * @nr: reports printed in this interval
 * @begin: of this interval, in ns
 * @announced: of @suppressed, those that a printed report has told of
 * @ticket: of the last report
 * @last: the last report; its entry is written over last of all
 * @report: the entries
 * @suppressed: reports that were not printed
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

/* One report: begin it, add to it, end it. */
struct myalloc_report *myalloc_report_begin(struct myalloc_reports *r, unsigned long *irq);
__printf(2, 3)
void myalloc_report_add(struct myalloc_report *report, const char *fmt, ...);
__printf(2, 0)
void myalloc_report_vadd(struct myalloc_report *report, const char *fmt, va_list args);
void myalloc_report_symbol(struct myalloc_report *report, unsigned long caller);
void myalloc_report_end(struct myalloc_reports *r, struct myalloc_report *report,
			unsigned long irq);
void myalloc_report_last(struct myalloc_reports *r, char *buf, size_t size);

#endif /* MYALLOC_REPORT_H */
